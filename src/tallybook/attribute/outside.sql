-- Rows of the months beside the period, by their traces.
SELECT row_at, {trace} AS trace
FROM told
{twins}
WHERE {which}
