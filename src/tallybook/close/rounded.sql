-- What earlier closes of a period rounded, by posting key.
SELECT
  p.account, p.team, p.feature, p.purpose, p.kind, p.provider, p.service, p.detail, p.source,
  p.service_period, p.price_version, p.policy_version, SUM(p.amount_nano) AS nano
FROM chain AS c
JOIN posting AS p ON p.seq = c.seq
WHERE c.kind = 'entry' AND c.period = :period AND c.reason = 'rounding'
GROUP BY
  p.account, p.team, p.feature, p.purpose, p.kind, p.provider, p.service, p.detail, p.source,
  p.service_period, p.price_version, p.policy_version
HAVING SUM(p.amount_nano) <> 0
