-- The nodes whose parents stand in the level above, with what stands above them.
CREATE OR REPLACE TABLE below AS
SELECT r.row_at, r.trace, r.said, r.service, r.bills, r.mark, f.origin, f.chain
FROM {rest} r
JOIN {level} f ON r.up = f.row_at
