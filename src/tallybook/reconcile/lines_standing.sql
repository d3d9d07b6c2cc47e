-- Lines that touch a span, of every version, without the raw rows; which of them stand is decided
-- from the versions' windows.
SELECT
  l.invoice, l.version, l.line, i.provider, l.kind, l.start_us, l.end_us, l.product, l.model,
  l.token_class, l.tier, l.region, l.key_id, l.project, l.quantity, l.own_pico, l.currency,
  l.rate, l.rate_date, l.amount_pico, l.fx_pico, l.places, l.covered, l.note
FROM invoice_line AS l
JOIN provider_invoice AS i ON i.id = l.invoice
WHERE l.start_us < :end_us AND l.end_us > :start_us
  AND (:provider = '' OR i.provider = :provider)
  AND (:invoice = '' OR l.invoice = :invoice)
ORDER BY l.invoice, l.version, l.line
