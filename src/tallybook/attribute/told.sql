-- Every row of the period that may stand in a tree, and what the months beside it tell of the same
-- traces. `bills` are the period's calls; `hollow` rows tell of calls that bill by another row.
CREATE OR REPLACE VIEW told AS
SELECT {columns}, TRUE AS bills, FALSE AS hollow
FROM events e
{corrections}
{touched}
WHERE {traced}
{others}
