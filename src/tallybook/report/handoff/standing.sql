-- What stands on the families that are not cost at the end of a period, and moved in it; by account.
SELECT p.account, SUM(p.amount_nano) AS nano,
  SUM(CASE WHEN c.period = :period THEN p.amount_nano ELSE 0 END) AS moved_nano
FROM posting AS p
JOIN chain AS c ON c.seq = p.seq
WHERE c.period <= :period AND c.seq < :before_seq
GROUP BY p.account
ORDER BY p.account
