-- Of each step the one above it, and itself if it is an agent; -1 is none.
CREATE OR REPLACE TABLE live_up AS
SELECT
  n.step,
  CASE WHEN n.agent <> '' THEN -1 ELSE COALESCE(p.step, -1) END AS above,
  CASE WHEN n.agent <> '' THEN n.step ELSE -1 END AS found
FROM live_step n
LEFT JOIN live_step p ON n.trace_id = p.trace_id AND n.parent = p.span_id
