-- Each distinct combination of what tells whether a row is believed.
SELECT DISTINCT {told}
FROM stated
ORDER BY ALL
