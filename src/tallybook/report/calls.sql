-- The calls of the wanted combinations, each with its price. They are found first: finding is a
-- scan that passes over most events, and only what it finds is decoded whole and priced.
CREATE OR REPLACE TABLE calls AS
WITH found AS MATERIALIZED (
  SELECT {columns}
  FROM {events} e
  JOIN wanted w ON e.provider = w.provider AND {epoch} = w.epoch AND {same}
  WHERE e.started_us >= $start_us AND e.started_us < $end_us
    {narrowed}
)
SELECT k.source, k.event_id, k.started_us, k.provider, k.model, k.tokens,
  CASE WHEN k.unpriced THEN 0 ELSE k.card END AS card_pico,
  CASE WHEN k.unpriced THEN 0 ELSE k.contract END AS contract_pico,
  k.unpriced
FROM (
  SELECT e.source, e.event_id, e.started_us, e.provider, e.model, e.total_tokens AS tokens,
    {unpriced} AS unpriced, {card} AS card, {contract} AS contract
  FROM found e
  {price_join}
  {corrections}
) k
