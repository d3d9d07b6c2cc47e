-- What each source told in a period that bills: calls, tokens and cost, by what the calls carried.
SELECT epoch, {names}, state, unpriced,
  SUM(calls) AS calls, SUM(tokens) AS tokens, SUM(card_pico) AS card_pico
FROM rated
GROUP BY ALL
ORDER BY ALL
