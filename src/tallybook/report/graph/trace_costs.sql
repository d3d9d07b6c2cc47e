-- What the calls of the trace cost, in two whole numbers, and under which chart rows stand.
SELECT
  d.row_at,
  CAST(d.epoch AS BIGINT) AS epoch,
  COALESCE(s.number, 0) AS said,
  COALESCE(c.unpriced, FALSE) AS unpriced,
  CAST(COALESCE(c.card, 0) >> 62 AS BIGINT) AS card_high,
  CAST(COALESCE(c.card, 0) & 4611686018427387903 AS BIGINT) AS card_low
FROM trace_told d
LEFT JOIN trace_said s ON d.stated = s.stated AND d.told = s.told
LEFT JOIN (
  SELECT e.row_at, {unpriced} AS unpriced, CASE WHEN {unpriced} THEN 0 ELSE {card} END AS card
  FROM events e
  {touched}
  {price_join}
  {corrections}
) c ON d.row_at = c.row_at
