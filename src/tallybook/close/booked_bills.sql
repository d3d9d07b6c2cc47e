-- What posted into a period on payables and suspense.
SELECT p.account, SUM(p.amount_nano) AS nano
FROM chain AS c
JOIN posting AS p ON p.seq = c.seq
WHERE c.period = :period AND c.kind = 'entry'
  AND (substr(p.account, 1, 8) = 'Payable:' OR substr(p.account, 1, 9) = 'Suspense:')
GROUP BY p.account
HAVING SUM(p.amount_nano) <> 0
