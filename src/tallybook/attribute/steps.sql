-- What some rows say, each combination once, with the number by which rows name it and how often.
SELECT {key} AS key, COUNT(*) AS told, {carried}
FROM told
{near}
WHERE {which}
GROUP BY {carried}
ORDER BY {carried}
