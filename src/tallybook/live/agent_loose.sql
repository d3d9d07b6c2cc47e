-- Under what calls hang that no name places: parents that nobody told of, and no name at all.
SELECT a.trace, a.span
FROM live_above a
ANTI JOIN (
  SELECT hash(e.trace_id) AS trace, hash(e.span_id) AS span
  FROM events e
  {touched}
  SEMI JOIN live_above a ON hash(e.trace_id) = a.trace AND hash(e.span_id) = a.span
) s ON a.trace = s.trace AND a.span = s.span
UNION ALL
SELECT DISTINCT hash(e.trace_id), hash('')
FROM events e
{touched}
WHERE e.trace_id <> '' AND e.span_id = '' AND e.parent_span_id = ''
