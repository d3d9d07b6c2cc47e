UNION ALL
SELECT {columns}, FALSE AS bills, TRUE AS hollow
FROM events e
{netted}
{touched}
WHERE e.trace_id <> '' AND e.record <> unhex('{derived}')
