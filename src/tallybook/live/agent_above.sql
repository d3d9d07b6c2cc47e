-- The names under which calls and steps hang and which no step has.
CREATE OR REPLACE TABLE live_above AS
SELECT DISTINCT u.trace, u.span
FROM (
  SELECT hash(e.trace_id) AS trace, hash(e.parent_span_id) AS span
  FROM events e
  {touched}
  WHERE e.trace_id <> '' AND e.parent_span_id <> ''
  UNION ALL
  SELECT hash(e.trace_id), hash(e.parent_span_id)
  FROM beside e
  {touched}
  WHERE e.trace_id <> '' AND e.parent_span_id <> ''
) u
ANTI JOIN (
  SELECT hash(e.trace_id) AS trace, hash(e.span_id) AS span
  FROM beside e
  {touched}
  WHERE e.trace_id <> '' AND e.span_id <> ''
) s ON u.trace = s.trace AND u.span = s.span
