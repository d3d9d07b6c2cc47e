-- The nodes of traces that are walked one by one.
SELECT
  n.trace, n.row_at, n.span_id, n.parent_span_id, n.started_us, n.stands, n.hollow, n.bills,
  n.mark, n.said, n.service
FROM part n
SEMI JOIN odd x ON n.trace = x.trace
