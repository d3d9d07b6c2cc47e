-- The calls of some traces, added up by trace and model.
SELECT
  e.trace_id,
  e.provider || '/' || e.model AS model,
  COUNT(*) AS calls,
  SUM({cost}) AS card_pico,
  COUNT_IF(e.attempt > 1) AS retries,
  SUM(CASE WHEN e.attempt > 1 THEN {cost} ELSE 0 END) AS retried_pico,
  MAX(e.context_tokens) AS most_context,
  MIN(e.context_tokens) AS least_context
FROM events e
SEMI JOIN request_looked l ON e.trace_id = l.trace_id
{price_join}
{told}
WHERE e.started_us >= $start_us AND e.started_us < $end_us AND {wanted}
GROUP BY ALL
