-- Calls of walked traces that do not stand in exactly one place.
SELECT e.trace_id, COUNT(*) AS calls, p.places
FROM events e
LEFT JOIN (SELECT row_at, COUNT(*) AS places FROM placed GROUP BY row_at) p ON e.row_at = p.row_at
{corrections}
WHERE e.started_us >= $start_us AND e.started_us < $end_us AND COALESCE(p.places, 0) <> 1
GROUP BY e.trace_id, p.places
ORDER BY e.trace_id
