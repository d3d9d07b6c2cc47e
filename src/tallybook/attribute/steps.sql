-- What the nodes of these traces say, each combination once.
SELECT DISTINCT {carried}
FROM told SEMI JOIN traced ON told.trace_id = traced.trace_id
ORDER BY {carried}
