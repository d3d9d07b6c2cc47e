SELECT
  p.account, p.team, p.feature, p.purpose, p.kind, p.provider, p.service, p.detail, p.source,
  p.service_period, p.price_version, p.policy_version, SUM(p.amount_nano) AS nano
FROM posting AS p
JOIN chain AS c ON c.seq = p.seq
WHERE p.service_period = :service_period
  AND (:period = '' OR c.period = :period)
  AND substr(p.account, 1, length(:family)) = :family
  AND (:every_team OR p.team = :team)
GROUP BY
  p.account, p.team, p.feature, p.purpose, p.kind, p.provider, p.service, p.detail, p.source,
  p.service_period, p.price_version, p.policy_version
HAVING SUM(p.amount_nano) <> 0
