-- Rows of traces in whole numbers. Of `flags` each bit is one answer, in the order of these lines.
SELECT
  row_at,
  {trace} AS trace,
  hash(span_id) AS span,
  hash(parent_span_id) AS parent,
  started_us,
  {key} AS carried,
  CAST(believed AS TINYINT) AS believed,
  CAST(epoch AS SMALLINT) AS epoch,
  CAST(
    CAST(bills AS INT)
    + 2 * CAST(hollow AS INT)
    + 4 * CAST(fails AS INT)
    + 8 * CAST(span_id <> '' AS INT)
    + 16 * CAST(parent_span_id <> '' AS INT)
    + 32 * CAST(trace_id = '' AS INT)
    AS UTINYINT
  ) AS flags
FROM told
{twins}
{near}
WHERE {which}
