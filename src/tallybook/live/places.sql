-- Each distinct place of a call, numbered.
CREATE OR REPLACE TABLE live_combo AS
SELECT ROW_NUMBER() OVER () AS combo, 0 AS epoch, place AS c0
FROM (SELECT DISTINCT place FROM placed)
