-- The traces above a cost, the dearest first, and some of those about a rank in the middle.
SELECT trace_id, is_tail
FROM (
  SELECT
    trace_id,
    card_pico > $above AS is_tail,
    ROW_NUMBER() OVER (ORDER BY card_pico DESC, trace_id) AS from_top,
    ROW_NUMBER() OVER (ORDER BY card_pico, trace_id) AS rank
  FROM request_total
)
WHERE (is_tail AND from_top <= $most) OR (NOT is_tail AND rank >= $low AND rank <= $high)
ORDER BY from_top
