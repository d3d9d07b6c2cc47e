-- The calls at the root of some traces.
SELECT DISTINCT hash(e.trace_id) AS trace, hash(e.span_id) AS span
FROM events e
{touched}
{netted}
SEMI JOIN live_loose l ON hash(e.trace_id) = l.trace
WHERE e.span_id <> '' AND (e.parent_span_id = '' OR e.parent_span_id = e.span_id)
