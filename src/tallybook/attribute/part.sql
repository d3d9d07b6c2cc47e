-- The nodes of some traces.
CREATE OR REPLACE {kept} part AS
SELECT *, span_id <> '' AS stands{mark}
FROM node
WHERE trace >= {low} AND trace < {high}
