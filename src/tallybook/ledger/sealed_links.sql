-- Some links as the text that their hash covers, cut where postings and previous hash go; columns in
-- the order of canonical JSON. A value of a type that was never written makes another text, or none.
SELECT
  seq, prev_hash, hash,
  json_object(
    'actor', actor, 'corrects', corrects, 'details', details, 'id', id, 'kind', kind,
    'period', period
  ) AS head,
  json_object(
    'reason', reason, 'recorded_us', recorded_us, 'seq', seq, 'service_period', service_period,
    'text', text, 'versions', versions
  ) AS tail
FROM chain
WHERE seq BETWEEN :first AND :last
ORDER BY seq
LIMIT :most
