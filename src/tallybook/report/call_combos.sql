-- Each distinct combination of what the period's calls carried.
SELECT DISTINCT epoch, {names}
FROM (
  SELECT {carried}
  FROM {events} e
  {placed}
  WHERE e.started_us >= $start_us AND e.started_us < $end_us {tagged}
)
ORDER BY ALL
