-- What posted into a period on suspense, and on payables by invoices of usage: a credit that was
-- bought bills nothing that suspense could be a part of.
SELECT p.account, SUM(p.amount_nano) AS nano
FROM chain AS c
JOIN posting AS p ON p.seq = c.seq
WHERE c.period = :period AND c.kind = 'entry'
  AND (substr(p.account, 1, 9) = 'Suspense:'
    OR substr(p.account, 1, 8) = 'Payable:' AND c.reason = 'true_up')
GROUP BY p.account
HAVING SUM(p.amount_nano) <> 0
