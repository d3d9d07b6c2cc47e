SELECT id, period, recorded_us, actor
FROM chain
WHERE reason = 'reversal' AND kind = 'entry' AND corrects = :entry_id
