SELECT
  seq, id, kind, reason, period, service_period, recorded_us, actor, text,
  versions, corrects, details, prev_hash, hash
FROM chain
WHERE seq BETWEEN :first AND :last
ORDER BY seq
LIMIT :most
