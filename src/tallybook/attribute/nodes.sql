-- Rows of traces in whole numbers. Of `flags` each bit is one answer, in the order of these lines.
SELECT
  row_at,
  {trace} AS trace,
  hash(span_id) AS span,
  hash(parent_span_id) AS parent,
  started_us,
  {key} AS carried,
  CAST(
    CASE WHEN bills THEN 1 ELSE 0 END
    | CASE WHEN hollow THEN 2 ELSE 0 END
    | CASE WHEN fails THEN 4 ELSE 0 END
    | CASE WHEN span_id <> '' THEN 8 ELSE 0 END
    | CASE WHEN parent_span_id <> '' THEN 16 ELSE 0 END
    | CASE WHEN trace_id = '' THEN 32 ELSE 0 END
    AS UTINYINT
  ) AS flags
FROM told
{twins}
{near}
WHERE {which}
