SELECT
  seq, line, account, team, feature, purpose, kind, provider, service, detail, source,
  service_period, price_version, policy_version, amount_nano
FROM posting
WHERE seq BETWEEN :first_seq AND :last_seq
ORDER BY seq, line
