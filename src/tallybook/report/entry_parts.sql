-- What entries posted on one account about one service period, with the posting's key;
-- into one period if one is named.
SELECT c.seq, c.id, c.reason, c.versions, p.account, p.team, p.feature, p.purpose, p.kind,
  p.provider, p.service, p.detail, p.source, p.service_period, p.price_version, p.policy_version,
  p.amount_nano
FROM posting p
JOIN chain c ON c.seq = p.seq
WHERE p.account = :account AND p.service_period = :period
  AND (:into = '' OR c.period = :into)
  AND (:every_team OR p.team = :team)
ORDER BY p.seq, p.line
