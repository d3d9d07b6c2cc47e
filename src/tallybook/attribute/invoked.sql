-- Nodes by what they invoke.
SELECT origin, above, service, mark, COUNT(*) AS calls
FROM ({levels})
WHERE mark >= 0 AND service IN ({counted})
GROUP BY origin, above, service, mark
