-- The steps that were told beside the calls, numbered: the agent that each is.
CREATE OR REPLACE TABLE live_step AS
SELECT
  ROW_NUMBER() OVER () AS step,
  trace_id,
  span_id,
  MIN(parent_span_id) AS parent,
  MAX(
    CASE
      WHEN role = 'agent' OR (role = 'span' AND operation IN ({operations}))
      THEN CASE WHEN service <> '' THEN service ELSE operation END
      ELSE ''
    END
  ) AS agent
FROM beside e
{touched}
WHERE trace_id <> '' AND span_id <> ''
GROUP BY trace_id, span_id
