-- Rows that tell of calls that bill by another row stand only where something hangs under them.
CREATE OR REPLACE TABLE part AS
SELECT n.*
FROM part n
LEFT JOIN (SELECT DISTINCT trace, parent_span_id FROM part WHERE parent_span_id <> '') c
  ON n.trace = c.trace AND n.span_id = c.parent_span_id
WHERE NOT n.hollow OR c.trace IS NOT NULL
