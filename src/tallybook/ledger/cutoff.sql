-- The first act since the last reopening after which usage of a period is late.
SELECT seq, id, reason AS kind, period, recorded_us, actor, text, versions, details, hash
FROM chain
WHERE kind = 'act' AND period = :period AND reason IN ('soft_close', 'close')
  AND seq > (
    SELECT COALESCE(MAX(r.seq), 0)
    FROM chain AS r
    WHERE r.kind = 'act' AND r.period = :period AND r.reason = 'reopen'
  )
ORDER BY seq
LIMIT 1
