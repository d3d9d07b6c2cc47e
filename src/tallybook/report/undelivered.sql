-- The calls whose callers left, added up by what was decided of them and by model. What nobody told
-- of a call is NULL, and no sum holds it: such calls are counted beside the sums.
SELECT decided, provider, model,
  COUNT(*) AS calls,
  SUM(CAST(unknown AS BIGINT)) AS unknown,
  SUM(CAST(unpriced AS BIGINT)) AS unpriced,
  SUM(CAST(delivered IS NULL AS BIGINT)) AS untold,
  SUM(CAST(delivered IS NOT NULL AND NOT unpriced AS BIGINT)) AS measured,
  SUM(CAST(NOT (unknown OR unpriced) AS BIGINT)) AS costed,
  SUM(CASE WHEN delivered IS NULL THEN 0 ELSE output END) AS output,
  SUM(COALESCE(delivered, 0)) AS delivered,
  SUM(CASE WHEN delivered IS NULL OR unpriced THEN 0 ELSE (output - delivered) * price END)
    AS undelivered_pico,
  SUM(CASE WHEN unpriced THEN 0 ELSE card END) AS card_pico
FROM (
  SELECT w.decided, e.provider, e.model, CAST(e.output AS HUGEINT) AS output,
    CASE WHEN COALESCE(e.audio_output, 0) + COALESCE(e.image_output, 0) > 0 THEN NULL
      WHEN e.output_delivered <= e.output THEN e.output_delivered
      WHEN e.output_delivered > e.output THEN e.output END AS delivered,
    e.state IN ('unknown', 'partial') AS unknown,
    {unpriced} AS unpriced, {price} AS price, {card} AS card
  FROM (
    SELECT e.*, {carried}
    FROM events e
    {placed}
    WHERE e.started_us >= $start_us AND e.started_us < $end_us AND e.status = 'client_aborted'
  ) e
  JOIN wanted w ON e.epoch = w.epoch AND {same}
  {price_join}
  {corrections}
)
GROUP BY ALL
ORDER BY ALL
