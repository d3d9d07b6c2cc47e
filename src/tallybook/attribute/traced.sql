-- The traces of the period whose calls do not stand alone, numbered as they began: the rows of a few
-- traces then lie together, and a part of them is read without the others.
CREATE OR REPLACE TABLE traced AS
SELECT trace_id, ROW_NUMBER() OVER (ORDER BY began_us, trace_id) AS trace
FROM (
  SELECT
    trace_id,
    MIN(started_us) AS began_us,
    SUM(CASE WHEN parent_span_id <> '' OR span_id = '' THEN 1 ELSE 0 END) AS links,
    SUM(CASE WHEN bills THEN 1 ELSE 0 END) AS calls
  FROM told
  WHERE started_us >= $start_us AND started_us < $end_us
  GROUP BY trace_id
)
WHERE {walked}
