-- What the period's calls cost by for whom they were made; of nobody's the value is NULL.
SELECT
  b.said,
  SUM(r.calls) AS calls,
  SUM(r.tokens) AS tokens,
  SUM(r.card_pico) AS card_pico,
  SUM(CASE WHEN r.unpriced THEN r.calls ELSE 0 END) AS unpriced,
  SUM(CASE WHEN r.state = 'unknown' OR r.state = 'partial' THEN r.calls ELSE 0 END) AS unknown,
  SUM(CASE WHEN r.unpriced OR r.state = 'unknown' OR r.state = 'partial' THEN 0 ELSE r.calls END)
    AS costed
FROM rated r
{wanted}
LEFT JOIN behalf b ON r.{behalf} = b.number
GROUP BY b.said
ORDER BY card_pico DESC, b.said
