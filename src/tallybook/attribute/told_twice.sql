-- Rows that tell of invocations that are counted, and the spans that they name.
SELECT COALESCE(SUM(told), 0) AS told, COUNT(*) AS spans
FROM (
  SELECT COUNT(*) AS told
  FROM part
  WHERE span_id <> '' AND service IN ({counted})
  GROUP BY trace, span_id
)
