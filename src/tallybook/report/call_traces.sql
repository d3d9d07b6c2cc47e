-- The traces of which some row carries a wanted tag.
CREATE OR REPLACE TABLE touched AS
SELECT trace_id FROM events e WHERE e.trace_id <> '' AND ({tagged})
UNION
SELECT trace_id FROM beside e WHERE e.trace_id <> '' AND ({tagged})
