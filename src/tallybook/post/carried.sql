-- What the period's calls carried, with how many carried it.
SELECT epoch, {names}, COUNT(*) AS calls, SUM(total_tokens) AS tokens
FROM (
  SELECT {carried}, e.total_tokens
  FROM events e
  {corrections}
  WHERE e.started_us >= $start_us AND e.started_us < $end_us
)
GROUP BY ALL
ORDER BY ALL
