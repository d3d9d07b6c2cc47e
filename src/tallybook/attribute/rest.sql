-- The nodes of the traces that reach as deep as a level.
CREATE OR REPLACE TABLE {made} AS
SELECT * FROM {rest} r SEMI JOIN {level} f ON r.trace = f.trace
