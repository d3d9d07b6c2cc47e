INSERT INTO chain (
  seq, id, kind, reason, period, service_period, recorded_us, actor, text,
  versions, corrects, details, prev_hash, hash
) VALUES (
  :seq, :id, :kind, :reason, :period, :service_period, :recorded_us, :actor, :text,
  :versions, :corrects, :details, :prev_hash, :hash
)
