-- Nearest-rank percentiles, each a cost that was there: the first whose rank reaches the percent.
SELECT who, requests, calls, card_pico, unpriced, unknown, ranks[1], ranks[2], ranks[3], most
FROM (
  SELECT
    who,
    COUNT(*) AS requests,
    SUM(calls) AS calls,
    SUM(card_pico) AS card_pico,
    SUM(unpriced) AS unpriced,
    SUM(unknown) AS unknown,
    QUANTILE_DISC(card_pico, [0.50, 0.95, 0.99]) AS ranks,
    MAX(card_pico) AS most
  FROM request_total
  GROUP BY who
)
ORDER BY who
