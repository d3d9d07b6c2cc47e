-- Calls added up per request, trace or agent run.
CREATE OR REPLACE TABLE request_total AS
SELECT
  {who} AS who,
  request,
  COUNT(*) AS calls,
  SUM(card_pico) AS card_pico,
  COUNT_IF(is_unpriced) AS unpriced{more}
FROM request_call
WHERE {wanted}
GROUP BY ALL
