-- One level: origin and chain of each node, one step further than above.
CREATE OR REPLACE TABLE {level} AS
SELECT
  b.row_at,
  b.trace,
  b.service,
  b.bills,
  b.mark,
  b.chain AS above,
  COALESCE(o.below, b.origin) AS origin,
  COALESCE(c.below, b.chain) AS chain
FROM below b
LEFT JOIN origin_step o ON b.origin = o.above AND b.said = o.said
LEFT JOIN chain_step c ON b.chain = c.above AND b.service = c.service
