-- As sealed_postings.sql, in the words of PostgreSQL.
SELECT
  seq,
  COUNT(*) AS postings,
  SUM(amount_nano) AS nano,
  SUM(CASE WHEN amount_nano > 0 THEN amount_nano ELSE 0 END) AS debit_nano,
  '[' || string_agg(
    '[' || line
    || ',' || to_json(account)
    || ',' || to_json(team)
    || ',' || to_json(feature)
    || ',' || to_json(purpose)
    || ',' || to_json(kind)
    || ',' || to_json(provider)
    || ',' || to_json(service)
    || ',' || to_json(detail)
    || ',' || to_json(source)
    || ',' || to_json(service_period)
    || ',' || to_json(price_version)
    || ',' || policy_version
    || ',' || amount_nano || ']',
    ',' ORDER BY line
  ) || ']' AS body
FROM posting
WHERE seq BETWEEN :first AND :last
GROUP BY seq
ORDER BY seq
