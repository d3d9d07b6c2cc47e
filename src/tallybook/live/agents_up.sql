-- Each step that knows no agent yet looks as far up again as what it looks at did.
CREATE OR REPLACE TABLE live_agent AS
SELECT
  n.trace_id,
  n.span_id,
  CASE WHEN n.agent <> '' THEN '' ELSE COALESCE(p.parent, '') END AS parent,
  CASE WHEN n.agent <> '' THEN n.agent ELSE COALESCE(p.agent, '') END AS agent
FROM live_agent n
LEFT JOIN live_agent p ON n.trace_id = p.trace_id AND n.parent = p.span_id
