-- What stands on accruals and suspense by service period, of all that posted up to a period.
SELECT p.account, p.service_period, SUM(p.amount_nano) AS nano
FROM posting AS p
JOIN chain AS c ON c.seq = p.seq
WHERE (substr(p.account, 1, 8) = 'Accrued:' OR substr(p.account, 1, 9) = 'Suspense:')
  AND c.period >= :first_period AND c.period <= :last_period
GROUP BY p.account, p.service_period
HAVING SUM(p.amount_nano) <> 0
ORDER BY p.service_period, p.account
