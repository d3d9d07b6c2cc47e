INSERT INTO quarantine (source, event_id, reason, record, place, received_us)
SELECT :source, :event_id, :reason, :record, :place, :received_us
WHERE NOT EXISTS (
  SELECT 1 FROM quarantine
  WHERE source = :source AND event_id = :event_id AND reason = :reason AND record = :record
)
