-- What some nodes of the trace are called, by their places in the tree.
CREATE OR REPLACE TABLE trace_named AS
SELECT
  a.place, d.source, d.event_id, d.role, d.operation, d.service, d.model, d.status, d.state,
  d.total_tokens, d.started_us, d.ended_us
FROM trace_told d
JOIN asked a ON d.row_at = a.row_at
