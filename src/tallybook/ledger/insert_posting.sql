INSERT INTO posting (
  seq, line, account, team, feature, purpose, kind, provider, service, detail, source,
  service_period, price_version, policy_version, amount_nano
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
