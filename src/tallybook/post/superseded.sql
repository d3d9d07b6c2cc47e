-- How many events of a period are superseded by newer ones.
SELECT COUNT(*) AS calls
FROM events e
JOIN corrections c ON e.source = c.source AND e.event_id = c.supersedes
