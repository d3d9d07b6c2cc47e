-- Where the calls stand: the number of their origin and of their chain in one.
CREATE OR REPLACE TABLE {placed} AS
SELECT row_at, CAST(origin AS BIGINT) * 2147483648 + chain AS place
FROM ({levels})
WHERE bills
