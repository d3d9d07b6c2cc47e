-- Of each span the row that is believed first; calls stay, each with the parent that it names.
CREATE OR REPLACE TABLE part AS
SELECT * EXCLUDE (stands, nth), span_id <> '' AND nth = 1 AS stands
FROM (
  SELECT
    *,
    ROW_NUMBER() OVER (
      PARTITION BY trace, span_id
      ORDER BY hollow, bills DESC, believed, started_us, parent_span_id, service, said, row_at
    ) AS nth
  FROM part
)
WHERE bills OR (span_id <> '' AND nth = 1)
