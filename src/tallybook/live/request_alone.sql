-- The calls without a trace: each is a request of its own.
INSERT INTO request_part
SELECT '', k.feature, '', 1, {cost}, CAST({unpriced} AS BIGINT), CAST({unknown} AS BIGINT)
FROM events e
{price_join}
{owned}
WHERE e.started_us >= $start_us AND e.started_us < $end_us AND e.trace_id = '' AND {wanted}
