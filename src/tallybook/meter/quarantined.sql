SELECT id, source, event_id, reason, record, place, received_us
FROM quarantine
WHERE id > :after
ORDER BY id
LIMIT :most
