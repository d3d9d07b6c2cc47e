-- Rows of the months beside the period, by their traces.
SELECT row_at, hash(trace_id) AS trace
FROM told
WHERE {which}
