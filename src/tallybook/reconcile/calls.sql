-- Calls of some days, models and keys, the dearest first: what a variance can be looked up in.
SELECT e.source, e.event_id, e.started_us, e.model, e.key_id, e.total_tokens AS tokens,
  {amount} AS amount_pico
FROM events e
JOIN wanted_days d ON e.started_us >= d.from_us AND e.started_us < d.to_us
{price_join}
{corrections}
WHERE e.provider = $provider
  AND ($model = '' OR e.model = $model)
  AND ($key = '' OR e.key_id = $key)
ORDER BY amount_pico DESC, e.started_us, e.source, e.event_id
LIMIT $most
