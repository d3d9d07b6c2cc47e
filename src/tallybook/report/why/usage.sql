-- One scan: quantities summed per slot of time, price row, key and what decides whose calls they are.
SELECT
  s.slot,
  p.price_id,
  e.provider,
  e.model,
  e.key_id,
  {lacks_price} AS lacks_price,
  {carried},
  COUNT(*) AS calls{quantities}
FROM events e
{price_join}
{beside}
JOIN slot s ON e.started_us >= s.from_us AND e.started_us < s.to_us
WHERE e.started_us >= $start_us AND e.started_us < $end_us
GROUP BY ALL
