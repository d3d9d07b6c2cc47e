-- Where the postings of a window begin to be too many.
SELECT seq
FROM posting
WHERE seq > :first
ORDER BY seq
LIMIT 1 OFFSET :most
