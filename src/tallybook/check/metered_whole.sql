-- All that a period's events come to.
SELECT SUM(calls), SUM(tokens), SUM(list_pico), SUM(contract_pico), SUM(card_pico)
FROM rated
