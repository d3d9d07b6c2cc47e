-- Every version of the provider invoices, the oldest first.
SELECT
  i.id, v.version, i.provider, i.form, i.account, i.number, i.period, v.currency, v.issued_on,
  v.stated_pico, v.total_pico, v.lines, v.windows, v.files, v.digest, v.by_day, v.reason, v.actor,
  v.at_us
FROM provider_invoice AS i
JOIN invoice_version AS v ON v.invoice = i.id
WHERE (:invoice = '' OR i.id = :invoice)
  AND (:provider = '' OR i.provider = :provider)
ORDER BY i.id, v.version
