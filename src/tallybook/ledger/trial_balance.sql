-- CROSS: read in the order of the table; looking each row up by its key costs more.
-- Sorting is most of the cost: the column that differs most often stands first.
SELECT
  p.account, p.team, p.feature,
  SUM(CASE WHEN c.period < :first_period THEN p.amount_nano ELSE 0 END) AS opening_nano,
  SUM(CASE WHEN c.period >= :first_period AND p.amount_nano > 0 THEN p.amount_nano ELSE 0 END)
    AS debit_nano,
  -SUM(CASE WHEN c.period >= :first_period AND p.amount_nano < 0 THEN p.amount_nano ELSE 0 END)
    AS credit_nano
FROM posting AS p
CROSS JOIN chain AS c
WHERE c.seq = p.seq AND c.period <= :last_period
GROUP BY p.feature, p.team, p.account
