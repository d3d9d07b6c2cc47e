-- What requests cost: traces, or the part of each that somebody has, and calls without a trace.
CREATE OR REPLACE TABLE request_total AS
SELECT
  {who} AS who,
  trace_id,
  SUM(calls) AS calls,
  SUM(card_pico) AS card_pico,
  SUM(unpriced) AS unpriced,
  SUM(unknown) AS unknown
FROM request_part
WHERE trace_id <> '' AND {which}
GROUP BY ALL
UNION ALL
SELECT {who}, trace_id, calls, card_pico, unpriced, unknown
FROM request_part
WHERE trace_id = '' AND {which}
