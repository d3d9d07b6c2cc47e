-- Each step that found no agent yet looks as far up again as what it looks at did.
CREATE OR REPLACE TABLE live_up AS
SELECT
  n.step,
  CASE WHEN n.found >= 0 THEN -1 ELSE COALESCE(p.above, -1) END AS above,
  CASE WHEN n.found >= 0 THEN n.found ELSE COALESCE(p.found, -1) END AS found
FROM live_up n
LEFT JOIN live_up p ON n.above = p.step
