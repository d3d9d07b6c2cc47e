-- Nearest-rank percentiles, on whole numbers: the first whose rank reaches the percent of all.
SELECT
  who,
  MAX(n) AS requests,
  SUM(calls) AS calls,
  SUM(card_pico) AS card_pico,
  SUM(unpriced) AS unpriced,
  MAX(CASE WHEN 100 * rank >= 50 * n AND 100 * (rank - 1) < 50 * n THEN card_pico END) AS p50,
  MAX(CASE WHEN 100 * rank >= 95 * n AND 100 * (rank - 1) < 95 * n THEN card_pico END) AS p95,
  MAX(CASE WHEN 100 * rank >= 99 * n AND 100 * (rank - 1) < 99 * n THEN card_pico END) AS p99,
  MAX(card_pico) AS most
FROM (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY who ORDER BY card_pico, request) AS rank,
    COUNT(*) OVER (PARTITION BY who) AS n
  FROM request_total
)
GROUP BY who
ORDER BY who
