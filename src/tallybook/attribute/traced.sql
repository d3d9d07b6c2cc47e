-- The traces of the period whose calls do not stand alone, numbered.
CREATE OR REPLACE TABLE traced AS
SELECT trace_id, ROW_NUMBER() OVER (ORDER BY trace_id) AS trace
FROM (
  SELECT
    trace_id,
    SUM(CASE WHEN parent_span_id <> '' OR span_id = '' THEN 1 ELSE 0 END) AS links,
    SUM(CASE WHEN bills THEN 1 ELSE 0 END) AS calls
  FROM told
  WHERE started_us >= $start_us AND started_us < $end_us
  GROUP BY trace_id
)
WHERE {walked}
