-- What a tag tells apart already: the calls that may be wanted, so that events are scanned once.
CREATE OR REPLACE TABLE narrow AS
SELECT {kept}
FROM events e
WHERE e.started_us >= $start_us AND e.started_us < $end_us {tagged}
