-- Calls that name no trace, by what they carry: nothing shows their caller, so each is one
-- invocation of its service.
SELECT epoch, fails, COUNT(*) AS calls, {names}
FROM (
  SELECT {carried}, e.status = 'error' AS fails
  FROM events e
  {beside}
  WHERE e.started_us >= $start_us AND e.started_us < $end_us AND e.trace_id = ''
)
GROUP BY epoch, fails, {names}
