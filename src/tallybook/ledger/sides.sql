-- Both sides of all balances together. The rows as they stand in the table, each with its link: a
-- walk finds them by their key, so that what the key's index hides is in here all the same.
SELECT
  COUNT(*) AS postings,
  COALESCE(SUM(CASE WHEN p.amount_nano > 0 THEN p.amount_nano ELSE 0 END), 0) AS debit_nano,
  COALESCE(-SUM(CASE WHEN p.amount_nano < 0 THEN p.amount_nano ELSE 0 END), 0) AS credit_nano
FROM posting AS p
CROSS JOIN chain AS c
WHERE c.seq = p.seq
