-- Metered quantities per owner and price: what one charge is. Numbered in an order that the same
-- books always have, so that they can be read a page at a time.
CREATE OR REPLACE TABLE used AS
SELECT ROW_NUMBER() OVER (ORDER BY g.provider, g.place, g.state, g.unpriced, g.sku) AS number, g.*
FROM (
  SELECT
    m.provider,
    p.place,
    m.state,
    m.unpriced,
    COALESCE(s.sku, 0) AS sku,
    SUM(m.calls) AS calls{quantities}
  FROM metered m
  JOIN combos c ON m.epoch = c.epoch AND {same}
  JOIN combo_owner w ON c.combo = w.combo
  JOIN owner_place p ON w.owner = p.owner
  LEFT JOIN sku s ON m.price_id = s.price_id
  GROUP BY m.provider, p.place, m.state, m.unpriced, COALESCE(s.sku, 0)
) g
