-- Orphans, and calls that name neither span nor parent, hang under the trace's root if it has one.
CREATE OR REPLACE TABLE hung AS
SELECT
  k.row_at,
  CASE WHEN k.place >= 2 AND r.roots = 1 THEN r.root ELSE k.up END AS up,
  k.trace,
  k.said,
  k.service,
  k.bills,
  k.mark,
  k.place
FROM kin k
LEFT JOIN (
  SELECT n.trace, COUNT(*) AS roots, CAST(SUM(n.row_at) AS BIGINT) AS root
  FROM part n
  JOIN kin k ON n.row_at = k.row_at
  WHERE k.place = 0 AND n.stands
  GROUP BY n.trace
) r ON k.trace = r.trace
