-- The traces above a cost, the dearest first, and some of those about a rank in the middle.
SELECT
  is_tail, trace_id, request, calls, card_pico, retries, retried_pico, most_context, growth
FROM (
  SELECT
    *,
    card_pico > $above AS is_tail,
    ROW_NUMBER() OVER (ORDER BY card_pico DESC, request) AS from_top,
    ROW_NUMBER() OVER (ORDER BY card_pico, request) AS rank
  FROM request_total
)
JOIN request_trace ON request = number
WHERE (is_tail AND from_top <= $most) OR (NOT is_tail AND rank >= $low AND rank <= $high)
ORDER BY from_top
