SELECT
  account, team, feature, purpose, kind, provider, service, detail, source,
  service_period, price_version, policy_version, SUM(amount_nano) AS nano
FROM posting
WHERE service_period = :service_period
GROUP BY
  account, team, feature, purpose, kind, provider, service, detail, source,
  service_period, price_version, policy_version
HAVING SUM(amount_nano) <> 0
