-- Nodes by what they invoke.
SELECT origin, above, service, mark, COUNT(*) AS calls
FROM ({levels})
WHERE mark >= 0 AND service <> 0
GROUP BY origin, above, service, mark
