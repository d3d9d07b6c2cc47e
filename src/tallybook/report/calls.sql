-- The calls of the wanted combinations, each with its price. They are found first: finding is a
-- scan that passes over most events, and only what it finds is decoded whole and priced.
CREATE OR REPLACE TABLE calls AS
WITH found AS MATERIALIZED (
  SELECT {found}, w.decided
  FROM (
    SELECT {columns}, {carried}
    FROM {events} e
    {placed}
    WHERE e.started_us >= $start_us AND e.started_us < $end_us {tagged}
    {narrowed}
  ) k
  JOIN wanted w ON k.provider = w.provider AND k.epoch = w.epoch AND {same}
)
SELECT k.source, k.event_id, k.started_us, k.provider, k.model, k.tokens,
  CASE WHEN k.unpriced THEN 0 ELSE k.card END AS card_pico,
  CASE WHEN k.unpriced THEN 0 ELSE k.contract END AS contract_pico,
  k.unpriced, k.decided
FROM (
  SELECT e.source, e.event_id, e.started_us, e.provider, e.model, e.total_tokens AS tokens,
    e.decided, {unpriced} AS unpriced, {card} AS card, {contract} AS contract
  FROM found e
  {price_join}
  {corrections}
) k
