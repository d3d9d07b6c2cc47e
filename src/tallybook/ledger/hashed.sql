-- The postings as they were hashed, folded without a look at the chain.
SELECT account, team, feature, SUM(amount_nano) AS nano
FROM posting
GROUP BY account, team, feature
