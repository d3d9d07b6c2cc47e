-- What rows of the trace say for whom they work, each combination once, numbered from one.
CREATE OR REPLACE TABLE trace_said AS
SELECT ROW_NUMBER() OVER (ORDER BY stated, told) AS number, stated, told
FROM (SELECT DISTINCT stated, told FROM trace_told WHERE list_aggregate(stated, 'max') <> '')
