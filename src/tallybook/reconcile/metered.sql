-- One scan: quantities summed per price row, UTC day and key, and whether the call began inside the
-- period. Months of other zones begin inside a UTC day, so the edges belong to two of them.
SELECT
  e.started_us - e.started_us % 86400000000 AS day_us,
  p.price_id,
  CASE WHEN p.price_id IS NULL THEN e.provider ELSE '' END AS provider,
  CASE WHEN p.price_id IS NULL THEN e.model ELSE '' END AS model,
  CASE WHEN p.price_id IS NULL THEN e.tier ELSE '' END AS tier,
  {key} AS key_id,
  {lacks_price} AS lacks_price,
  (e.started_us >= $start_us AND e.started_us < $end_us) AS inside,
  COUNT(*) AS calls,
  SUM(CASE WHEN e.status = 'client_aborted' OR e.state <> 'reported' THEN 1 ELSE 0 END)
    AS open_calls{quantities}
FROM events e
{price_join}
{corrections}
WHERE e.started_us >= $first_us AND e.started_us < $last_us
GROUP BY ALL
