SELECT seq, id, reason AS kind, period, recorded_us, actor, text, versions, details, hash
FROM chain
WHERE kind = 'act' AND period = :period AND reason IN ('soft_close', 'close', 'reopen')
ORDER BY seq DESC
LIMIT 1
