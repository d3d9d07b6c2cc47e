-- Calls that nothing prices, by what decides a price.
SELECT e.provider, e.model, e.tier, e.region, COUNT(*) AS calls, SUM(e.total_tokens) AS tokens{used}
FROM events e
{price_join}
{corrections}
WHERE e.started_us >= $start_us AND e.started_us < $end_us AND {unpriced}
GROUP BY e.provider, e.model, e.tier, e.region
ORDER BY tokens DESC, calls DESC, e.provider, e.model, e.tier, e.region
