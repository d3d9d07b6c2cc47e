-- What waits, row by row: what it carries, where it stands in its trace, and its cost at the card.
SELECT
  {carried},
  e.batch, e.place, e.role, e.source, e.started_us, e.total_tokens, e.state,
  {unpriced} AS unpriced,
  {amount} AS card_pico,
  e.trace_id, e.span_id, e.parent_span_id, e.service, e.operation, e.operation_id,
  COALESCE(e.attempt, 0) AS attempt,
  e.supersedes{names}
FROM waiting e
{price_join}
WHERE e.role <> 'bucket'
ORDER BY e.batch, e.place
