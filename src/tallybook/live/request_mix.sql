-- Cost and calls by model in some traces.
SELECT
  w.is_tail, c.provider || '/' || c.model AS model, COUNT(*) AS calls, SUM(c.card_pico) AS card_pico
FROM request_call c
JOIN request_wanted w ON c.request = w.request
WHERE {wanted}
GROUP BY ALL
ORDER BY ALL
