-- What the calls of each trace cost, by their team and feature and by their agent.
CREATE OR REPLACE TABLE request_part AS
SELECT
  e.trace_id,
  k.feature AS owner,
  {agent} AS agent,
  COUNT(*) AS calls,
  SUM({cost}) AS card_pico,
  COUNT_IF({unpriced}) AS unpriced,
  COUNT_IF({unknown}) AS unknown
FROM events e
{agents}
{price_join}
{owned}
WHERE e.started_us >= $start_us AND e.started_us < $end_us AND e.trace_id <> '' AND {wanted}
GROUP BY ALL
