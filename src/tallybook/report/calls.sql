-- The calls of the wanted combinations, each with its price.
CREATE OR REPLACE TABLE calls AS
SELECT k.source, k.event_id, k.started_us, k.provider, k.model, k.tokens,
  CASE WHEN k.unpriced THEN 0 ELSE k.card END AS card_pico,
  CASE WHEN k.unpriced THEN 0 ELSE k.contract END AS contract_pico,
  k.unpriced
FROM (
  SELECT e.source, e.event_id, e.started_us, e.provider, e.model, e.total_tokens AS tokens,
    {unpriced} AS unpriced, {card} AS card, {contract} AS contract,
    {carried}
  FROM events e
  {price_join}
  {corrections}
  WHERE e.started_us >= $start_us AND e.started_us < $end_us
) k
JOIN wanted w ON k.provider = w.provider AND k.epoch = w.epoch AND {same}
