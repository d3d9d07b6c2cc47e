-- Calls added up per request, trace or agent run.
CREATE OR REPLACE TABLE request_total AS
SELECT
  {who} AS who,
  {what} AS request,
  COUNT(*) AS calls,
  SUM(card_pico) AS card_pico,
  SUM(retried) AS retries,
  SUM(CASE WHEN retried > 0 THEN card_pico ELSE 0 END) AS retried_pico,
  MAX(context) AS most_context,
  MAX(context) - MIN(context) AS growth,
  SUM(unpriced) AS unpriced
FROM request_call
WHERE {wanted}
GROUP BY ALL
