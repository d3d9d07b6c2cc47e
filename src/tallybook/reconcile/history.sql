-- What stands about service periods on the accounts of providers, by what made it. The variance of
-- the rate card is left out: it says nothing of providers, and has a posting for each cell.
SELECT
  p.service_period, p.provider, p.account, p.source, p.detail, SUM(p.amount_nano) AS nano
FROM posting AS p
WHERE p.service_period >= :since AND p.service_period <= :period
  AND p.provider <> '' AND p.account <> 'Variance:rate_card'
  AND (p.account LIKE 'Accrued:%' OR p.account LIKE 'Variance:%' OR p.account LIKE 'Payable:%'
    OR p.account LIKE 'Prepaid:%')
GROUP BY p.service_period, p.provider, p.account, p.source, p.detail
HAVING SUM(p.amount_nano) <> 0
ORDER BY p.service_period, p.provider, p.account, p.source, p.detail
