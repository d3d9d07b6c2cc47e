-- The rows that say for whom they work, and what tells whether they are believed.
CREATE OR REPLACE VIEW stated AS
SELECT e.row_at, e.{by} AS said{told} FROM events e WHERE e.{by} <> ''
UNION ALL
SELECT e.row_at, e.{by} AS said{told} FROM beside e WHERE e.{by} <> ''
