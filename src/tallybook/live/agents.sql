-- The steps that were told beside the calls: the agent that each is, and what stands above it.
CREATE OR REPLACE TABLE live_agent AS
SELECT trace_id, span_id, MIN(parent) AS parent, MAX(agent) AS agent
FROM (
  SELECT
    trace_id,
    span_id,
    parent_span_id AS parent,
    CASE
      WHEN role = 'agent' OR (role = 'span' AND operation IN ({operations}))
      THEN CASE WHEN service <> '' THEN service ELSE operation END
      ELSE ''
    END AS agent
  FROM beside e
  {touched}
  WHERE trace_id <> '' AND span_id <> ''
)
GROUP BY trace_id, span_id
