-- What was accrued or drawn from prepaid credits, without what a provider's bill cleared: an entry
-- that also touches Payable comes to the ERP through accounts payable, and again would be twice.
SELECT c.period, p.account, p.purpose, p.provider, p.service_period, SUM(p.amount_nano) AS nano
FROM posting AS p
JOIN chain AS c ON c.seq = p.seq
WHERE c.period <= :period AND c.seq < :before_seq
  AND EXISTS (
    SELECT 1 FROM posting AS a
    WHERE a.seq = p.seq AND (a.account LIKE 'Accrued:%' OR a.account LIKE 'Prepaid:%')
  )
  AND NOT EXISTS (SELECT 1 FROM posting AS b WHERE b.seq = p.seq AND b.account LIKE 'Payable:%')
GROUP BY c.period, p.account, p.purpose, p.provider, p.service_period
HAVING SUM(p.amount_nano) <> 0
ORDER BY c.period, p.account, p.purpose, p.provider, p.service_period
