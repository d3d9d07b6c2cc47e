-- One page of what was used.
SELECT provider, place, state, unpriced, sku, calls{quantities}
FROM used
WHERE number > $after AND number <= $upto
ORDER BY number
