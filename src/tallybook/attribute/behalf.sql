-- Each customer, cohort or plan that somebody states, numbered from one.
CREATE OR REPLACE TABLE behalf AS
SELECT ROW_NUMBER() OVER (ORDER BY said) AS number, said
FROM (SELECT DISTINCT said FROM stated)
