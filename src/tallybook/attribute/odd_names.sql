-- The names of the nodes that are walked one by one.
SELECT row_at, span_id, parent_span_id
FROM told
SEMI JOIN odd USING (row_at)
