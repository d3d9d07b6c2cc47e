-- The traces of the calls, numbered in the order of their ids.
CREATE OR REPLACE TABLE request_trace AS
SELECT trace_id, ROW_NUMBER() OVER (ORDER BY trace_id) AS number
FROM (
  SELECT DISTINCT e.trace_id
  FROM events e
  WHERE e.trace_id <> '' AND e.started_us >= $start_us AND e.started_us < $end_us
)
