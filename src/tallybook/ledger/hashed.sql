-- The postings as they were hashed, folded without a look at the chain. Sorting is most of the cost:
-- the column that differs most often stands first.
SELECT account, team, feature, SUM(amount_nano) AS nano
FROM posting
GROUP BY feature, team, account
