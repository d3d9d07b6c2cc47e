-- Every row that tells of the trace, with what it is called and for whom it says that it works.
CREATE OR REPLACE VIEW trace_told AS
SELECT
  row_at, source, event_id, 'call' AS role, operation, service, model, status, state,
  COALESCE(total_tokens, 0) AS total_tokens, started_us, ended_us,
  {epoch} AS epoch, [{stated}] AS stated, [{told}] AS told
FROM events e
{touched}
UNION ALL
SELECT
  row_at, source, event_id, role, operation, service, model, status, state,
  COALESCE(total_tokens, 0) AS total_tokens, started_us, ended_us,
  {epoch} AS epoch, [{stated}] AS stated, [{told}] AS told
FROM beside e
{touched}
