-- One scan: quantities summed per price row and per combination of what calls carry.
CREATE OR REPLACE TABLE metered AS
SELECT
  {carried},
  e.provider,
  p.price_id,
  e.state,
  {unpriced} AS unpriced,
  COUNT(*) AS calls,
  SUM(e.total_tokens) AS tokens,
  {quantities}{units}
FROM events e
{price_join}
{corrections}
WHERE e.started_us >= $start_us AND e.started_us < $end_us
GROUP BY ALL
