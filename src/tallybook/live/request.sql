-- One row per call that bills: whose it is, the trace that it belongs to, its cost. A call without a
-- trace is a request of its own, with a number below nothing.
CREATE OR REPLACE TABLE request_call AS
SELECT
  CAST(k.feature AS INTEGER) AS owner,
  COALESCE(t.number, -1 - e.row_at) AS request,
  {agent} AS agent,
  e.provider,
  e.model,
  e.context_tokens AS context,
  COALESCE(e.attempt, 1) > 1 AS is_retry,
  {unpriced} AS is_unpriced,
  CASE WHEN {unpriced} THEN 0 ELSE {amount} END AS card_pico
FROM events e
LEFT JOIN request_trace t ON e.trace_id = t.trace_id
{price_join}
{joined}
JOIN live_owned k ON {same}
{agents}
WHERE e.started_us >= $start_us AND e.started_us < $end_us
