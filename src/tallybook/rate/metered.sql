-- One scan: quantities summed per price row and per combination of what calls carry. The price row
-- knows the provider, so only calls without one are grouped by it: groups are what a scan costs.
CREATE OR REPLACE TABLE metered AS
SELECT
  g.* EXCLUDE (unpriced_provider, lacks_price),
  COALESCE(p.provider, g.unpriced_provider) AS provider,
  g.price_id IS NULL OR g.lacks_price AS unpriced,
  {tokens} AS tokens{units}
FROM (
  SELECT
    {carried},
    e.state,
    p.price_id,
    CASE WHEN p.price_id IS NULL THEN e.provider ELSE '' END AS unpriced_provider,
    {lacks_price} AS lacks_price,
    {quantities}COUNT(*) AS calls
  FROM events e
  {price_join}
  {corrections}
  WHERE e.started_us >= $start_us AND e.started_us < $end_us
  GROUP BY ALL
) g
LEFT JOIN price p ON g.price_id = p.price_id
