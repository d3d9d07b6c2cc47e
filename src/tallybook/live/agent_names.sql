-- The agents that steps are.
SELECT DISTINCT {agent} AS agent
FROM beside e
{touched}
WHERE e.trace_id <> '' AND e.span_id <> '' AND {is_agent}
