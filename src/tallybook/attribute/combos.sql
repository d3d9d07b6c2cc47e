-- Each distinct combination of what calls carried, numbered.
CREATE OR REPLACE TABLE combos AS
SELECT ROW_NUMBER() OVER (ORDER BY epoch, {carried}) AS combo, epoch, {carried}
FROM (SELECT DISTINCT epoch, {carried} FROM rated)
