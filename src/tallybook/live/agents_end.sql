-- The innermost agent at or above each step that has one.
CREATE OR REPLACE TABLE live_agent AS
SELECT n.trace_id, n.span_id, a.agent
FROM live_up u
JOIN live_step n ON u.step = n.step
JOIN live_step a ON u.found = a.step
