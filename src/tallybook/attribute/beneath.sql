-- Tokens of calls, by what decides whose they are.
SELECT r.epoch, SUM(r.tokens) AS tokens, {columns}
FROM rated r
GROUP BY r.epoch, {columns}
