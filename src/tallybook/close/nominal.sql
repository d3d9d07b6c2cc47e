-- What stands on each account up to a period, with what rolls of it posted later.
SELECT p.account, p.team, p.feature, SUM(p.amount_nano) AS nano
FROM posting AS p
JOIN chain AS c ON c.seq = p.seq
WHERE c.period <= :last_period
  OR (c.reason IN ('roll', 'reversal') AND substr(p.source, 1, 5) = 'roll:'
      AND substr(p.source, 6) <= :last_period)
GROUP BY p.account, p.team, p.feature
HAVING SUM(p.amount_nano) <> 0
ORDER BY p.account, p.team, p.feature
