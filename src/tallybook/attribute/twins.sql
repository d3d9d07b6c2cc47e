-- Traces that share their digest with another.
SELECT DISTINCT trace_id
FROM told
WHERE {trace} IN (
  SELECT trace
  FROM (SELECT DISTINCT trace_id, {trace} AS trace FROM told)
  GROUP BY trace
  HAVING COUNT(*) > 1
)
