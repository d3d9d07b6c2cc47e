-- Metered quantities by team and price, each with its amount at the rate card.
SELECT
  t.team,
  t.shared,
  m.provider,
  m.price_id,
  m.unpriced,
  {figures}
FROM metered m
JOIN combos c ON m.epoch = c.epoch AND {same}
JOIN combo_owner w ON c.combo = w.combo
JOIN bearing t ON w.owner = t.owner
LEFT JOIN price p ON m.price_id = p.price_id
GROUP BY t.team, t.shared, m.provider, m.price_id, m.unpriced
