-- The nodes in whole numbers, but for the names of spans.
CREATE OR REPLACE TABLE node AS
SELECT
  n.row_at,
  CAST(t.trace AS INT) AS trace,
  n.span_id,
  n.parent_span_id,
  n.bills,
  n.hollow,
  CAST(s.said AS INT) AS said,
  CAST(s.service AS INT) AS service{more}
FROM told n
JOIN traced t ON n.trace_id = t.trace_id
JOIN step s ON {same}
