-- Sealed calls added up by owner, agent and stretch of time, each at its cost at the rate card.
CREATE OR REPLACE TABLE live_sum AS
SELECT
  owner, agent, hour_us, slot_us,
  COUNT(*) AS calls,
  SUM(tokens) AS tokens,
  SUM(card_pico) AS card_pico,
  SUM(CAST(unknown AS BIGINT)) AS unknown,
  SUM(CAST(state = 'estimated' AS BIGINT)) AS estimated,
  SUM(CASE WHEN state = 'estimated' THEN card_pico ELSE 0 END) AS estimated_pico,
  SUM(CAST(unpriced AS BIGINT)) AS unpriced
FROM (
  SELECT
    k.owner,
    {agent} AS agent,
    e.started_us - e.started_us % 3600000000 AS hour_us,
    CASE WHEN e.started_us >= $slots_us THEN e.started_us - e.started_us % 300000000 ELSE -1 END
      AS slot_us,
    e.total_tokens AS tokens,
    e.state,
    {unknown} AS unknown,
    {unpriced} AS unpriced,
    {cost} AS card_pico
  FROM events e
  {agents}
  {price_join}
  {owned}
  WHERE e.started_us >= $start_us AND e.started_us < $end_us
)
GROUP BY ALL
