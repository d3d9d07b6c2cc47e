-- The acts, found in the index of periods: to read each link for its kind is a pass of its own.
SELECT seq, reason, period
FROM chain
WHERE seq IN (SELECT seq FROM chain WHERE kind = 'act')
ORDER BY seq
