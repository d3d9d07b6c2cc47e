-- One row per call that bills: whose it is, the request and the trace that it belongs to, its cost.
-- A call without a trace is a request of its own.
CREATE OR REPLACE TABLE request_call AS
SELECT
  k.owner,
  e.trace_id AS trace,
  CASE WHEN e.trace_id = '' THEN e.source || ' ' || e.event_id ELSE e.trace_id END AS request,
  {agent} AS agent,
  e.provider || '/' || e.model AS model,
  e.context_tokens AS context,
  CAST(COALESCE(e.attempt, 1) > 1 AS BIGINT) AS retried,
  CAST({unpriced} AS BIGINT) AS unpriced,
  CASE WHEN {unpriced} THEN 0 ELSE {amount} END AS card_pico
FROM events e
{price_join}
{joined}
JOIN live_owned k ON {same}
{agents}
WHERE e.started_us >= $start_us AND e.started_us < $end_us
