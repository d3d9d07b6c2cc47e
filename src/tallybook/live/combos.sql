-- Each distinct combination of what sealed calls carried, numbered.
CREATE OR REPLACE TABLE live_combo AS
SELECT ROW_NUMBER() OVER () AS combo, epoch, {columns}
FROM (
  SELECT DISTINCT {carried}
  FROM events e
  {joined}
  WHERE e.started_us >= $start_us AND e.started_us < $end_us
)
