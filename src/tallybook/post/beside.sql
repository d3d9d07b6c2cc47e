-- What posted into a period before a link of the chain, by posting key.
SELECT
  p.account, p.team, p.feature, p.purpose, p.kind, p.provider, p.service, p.detail, p.source,
  p.service_period, p.price_version, p.policy_version, SUM(p.amount_nano) AS nano
FROM posting AS p
JOIN chain AS c ON c.seq = p.seq
WHERE c.period = :period AND c.seq < :before_seq
GROUP BY
  p.account, p.team, p.feature, p.purpose, p.kind, p.provider, p.service, p.detail, p.source,
  p.service_period, p.price_version, p.policy_version
HAVING SUM(p.amount_nano) <> 0
