UNION ALL
  SELECT row_at, source, event_id, role, operation, service, provider, model, status,
    state, COALESCE(total_tokens, 0) AS total_tokens, started_us, ended_us,
    {epoch} AS epoch, [{carried}] AS carried, [{stated}] AS stated, [{told}] AS told
  FROM beside e
  {touched}
