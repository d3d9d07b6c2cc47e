-- What is known of the nodes of a trace: their names, and of the period's calls what they cost.
SELECT
  d.row_at, d.source, d.event_id, d.role, d.operation, d.service, d.provider, d.model, d.status,
  d.state, d.total_tokens, d.started_us, d.ended_us, d.epoch, d.carried, d.stated, d.told,
  c.row_at IS NOT NULL AS bills, COALESCE(c.unpriced, FALSE) AS unpriced, COALESCE(c.card, 0) AS card_pico
FROM (
  SELECT row_at, source, event_id, 'call' AS role, operation, service, provider, model, status,
    state, COALESCE(total_tokens, 0) AS total_tokens, started_us, ended_us,
    {epoch} AS epoch, [{carried}] AS carried, [{stated}] AS stated, [{told}] AS told
  FROM events e
  {touched}
  {beside}
) d
LEFT JOIN (
  SELECT e.row_at, {unpriced} AS unpriced, CASE WHEN {unpriced} THEN 0 ELSE {card} END AS card
  FROM events e
  {touched}
  {price_join}
  {corrections}
) c ON d.row_at = c.row_at
