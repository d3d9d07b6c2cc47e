-- How many calls of a period stand in a trace that newer rows tell of.
SELECT COUNT(*) AS calls
FROM events e
SEMI JOIN beside b ON e.trace_id = b.trace_id
WHERE e.trace_id <> ''
