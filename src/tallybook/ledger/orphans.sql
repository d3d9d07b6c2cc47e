SELECT DISTINCT p.seq
FROM posting AS p
WHERE NOT EXISTS (SELECT 1 FROM chain AS c WHERE c.seq = p.seq)
