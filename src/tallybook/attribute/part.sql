-- The nodes of some traces.
CREATE OR REPLACE TABLE part AS
SELECT *, span_id <> '' AS stands FROM node WHERE trace >= $low AND trace < $high
