-- What rows state and who told it, by number.
SELECT s.row_at, CAST(b.number AS INT) AS said, {teller} AS teller
FROM stated s
JOIN behalf b ON s.said = b.said
{tellers}
