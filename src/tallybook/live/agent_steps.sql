-- What stands between calls and their agents, in whole numbers: the steps that were told beside the
-- calls, each with the number of the agent that it is, and the calls that others hang under. What
-- names no parent is its own.
SELECT
  hash(e.trace_id) AS trace,
  hash(e.span_id) AS span,
  hash(CASE WHEN e.parent_span_id <> '' THEN e.parent_span_id ELSE e.span_id END) AS parent,
  CAST(COALESCE(n.number, 0) AS INT) AS agent
FROM beside e
{touched}
LEFT JOIN live_agent_name n ON {is_agent} AND {agent} = n.agent
WHERE e.trace_id <> '' AND e.span_id <> ''
UNION ALL
SELECT hash(e.trace_id), hash(e.span_id), hash(e.parent_span_id), CAST(0 AS INT)
FROM events e
{touched}
SEMI JOIN live_above a ON hash(e.trace_id) = a.trace AND hash(e.span_id) = a.span
WHERE e.trace_id <> '' AND e.parent_span_id <> ''
