-- Three layers, each sum of tokens times its price; what has no price stays unpriced, never zero.
CREATE OR REPLACE TABLE rated AS
SELECT
  m.* EXCLUDE (price_id),
  {amounts}
FROM metered m
LEFT JOIN price p ON m.price_id = p.price_id
