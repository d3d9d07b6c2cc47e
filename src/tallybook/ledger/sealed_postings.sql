-- The postings of some links as canonical JSON, with their number, sum and debits.
SELECT
  seq,
  COUNT(*) AS postings,
  SUM(amount_nano) AS nano,
  SUM(CASE WHEN amount_nano > 0 THEN amount_nano ELSE 0 END) AS debit_nano,
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
