-- Rated groups summed by owner, and by the capacity that calls ran on where there is some.
SELECT
  r.provider,
  w.owner,
  r.state,
  r.unpriced,
  SUM(r.calls) AS calls,
  SUM(r.tokens) AS tokens,
  SUM(r.list_pico) AS list_pico,
  SUM(r.contract_pico) AS contract_pico,
  SUM(r.card_pico) AS card_pico{units}{capacity}
FROM rated r
JOIN combos c ON r.epoch = c.epoch AND {same}
JOIN combo_owner w ON c.combo = w.combo
GROUP BY r.provider, w.owner, r.state, r.unpriced{capacity}
