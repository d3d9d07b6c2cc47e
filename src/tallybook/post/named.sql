-- The traces that rows name.
SELECT e.trace_id FROM events e {netted} WHERE e.trace_id <> ''
UNION
SELECT e.trace_id FROM beside e {netted} WHERE e.trace_id <> ''
