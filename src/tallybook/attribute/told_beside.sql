UNION ALL
SELECT {columns}, FALSE AS bills, e.role = 'call' AS hollow
FROM beside e
{touched}
WHERE e.trace_id <> '' AND e.role <> 'bucket' AND e.role <> 'elsewhere'
UNION ALL
SELECT {columns}, FALSE AS bills, FALSE AS hollow
FROM beside e
{corrections}
{touched}
WHERE e.trace_id <> '' AND e.role = 'elsewhere'
