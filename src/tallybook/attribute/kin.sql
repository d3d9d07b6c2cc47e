-- Each node with its parent. `place`: 0 a root, 1 a child, 2 an orphan, 3 a call that names neither a
-- span nor a parent.
CREATE OR REPLACE TABLE kin AS
SELECT
  c.row_at,
  p.row_at AS up,
  c.trace,
  c.said,
  c.service,
  c.bills,
  c.mark,
  CASE
    WHEN c.names = '' AND c.span_id <> '' THEN 0
    WHEN c.names = '' THEN 3
    WHEN p.row_at IS NULL THEN 2
    ELSE 1
  END AS place
FROM (SELECT *, CASE WHEN parent_span_id = span_id THEN '' ELSE parent_span_id END AS names FROM part) c
LEFT JOIN (SELECT row_at, trace, span_id FROM part WHERE {stands}) p
  ON c.trace = p.trace AND c.names = p.span_id
