-- How many calls the traces of each owner had before an instant, and how many traces had so many.
SELECT owner, calls, COUNT(*) AS traces
FROM (
  SELECT e.trace_id, MIN(k.owner) AS owner, COUNT(*) AS calls
  FROM events e
  {owned}
  WHERE e.started_us >= $start_us AND e.started_us < $upto_us AND e.trace_id <> ''
  GROUP BY e.trace_id
)
GROUP BY owner, calls
