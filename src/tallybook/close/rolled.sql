-- The roll that stands: of a year by its last period, or in the month that it posted into.
SELECT c.id
FROM chain AS c
WHERE c.kind = 'entry' AND c.reason = 'roll'
  AND (:period = '' OR c.period = :period)
  AND (:source = '' OR EXISTS (
    SELECT 1 FROM posting AS p WHERE p.seq = c.seq AND p.source = :source
  ))
  AND NOT EXISTS (
    SELECT 1
    FROM chain AS r
    WHERE r.kind = 'entry' AND r.reason = 'reversal' AND r.corrects = c.id
  )
ORDER BY c.seq DESC
LIMIT 1
