-- The postings of some links as canonical JSON, with what an entry must keep.
SELECT
  seq,
  COUNT(*) > 1 AND SUM(amount_nano) = 0 AND MIN(amount_nano <> 0) AS is_balanced,
  group_concat(
    json_array(
      line, account, team, feature, purpose, kind, provider, service, detail, source,
      service_period, price_version, policy_version, amount_nano
    )
  ) AS body
FROM posting
WHERE seq BETWEEN :first AND :last
GROUP BY seq
ORDER BY seq
