-- The postings of some links as canonical JSON, with their number and sum.
SELECT
  seq,
  COUNT(*) AS postings,
  SUM(amount_nano) AS nano,
  json_group_array(
    json_array(
      line, account, team, feature, purpose, kind, provider, service, detail, source,
      service_period, price_version, policy_version, amount_nano
    )
  ) AS body
FROM posting
WHERE seq BETWEEN :first AND :last
GROUP BY seq
ORDER BY seq
