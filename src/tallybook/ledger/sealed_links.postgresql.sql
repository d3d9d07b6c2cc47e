-- As sealed_links.sql, in the words of PostgreSQL: to_json spells a value as canonical JSON does.
SELECT
  seq, prev_hash, hash,
  '{"actor":' || to_json(actor)
    || ',"corrects":' || to_json(corrects)
    || ',"details":' || to_json(details)
    || ',"id":' || to_json(id)
    || ',"kind":' || to_json(kind)
    || ',"period":' || to_json(period) || '}' AS head,
  '{"reason":' || to_json(reason)
    || ',"recorded_us":' || to_json(recorded_us)
    || ',"seq":' || to_json(seq)
    || ',"service_period":' || to_json(service_period)
    || ',"text":' || to_json(text)
    || ',"versions":' || to_json(versions) || '}' AS tail
FROM chain
WHERE seq BETWEEN :first AND :last
ORDER BY seq
LIMIT :most
