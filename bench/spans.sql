-- Where the made-up events number $first to $last stand: 64 rows to a trace, three calls to a step.
-- One trace in sixteen is a chain of 64 levels; in the others a row lies below any earlier step. A
-- trace is one feature's: its steps are of that feature's agent and of two tools of other teams.
WITH
drawn AS (
  SELECT
    n,
    n // 64 AS trace,
    n % 64 AS nth,
    hash(n, 21) % 1000000 AS draw,
    hash(n // 64, 22) % 16 = 0 AS is_chain,
    hash(n // 64, 1) % 2000 AS feature
  FROM range($first, $last) numbers(n)
),
hung AS (
  SELECT
    *,
    CASE
      WHEN nth = 0 THEN -1
      WHEN is_chain THEN nth - 1
      ELSE 4 * (CAST(draw * nth // 1000000 AS BIGINT) // 4)
    END AS above
  FROM drawn
)
SELECT
  nth % 4 <> 0 AS is_call,
  nth = 0 AS is_root,
  md5('trace' || trace) AS trace_id,
  substr(md5('span' || n), 1, 16) AS span_id,
  CASE WHEN above < 0 THEN '' ELSE substr(md5('span' || 64 * trace + above), 1, 16) END
    AS parent_span_id,
  CASE WHEN nth % 4 <> 0 THEN '' ELSE printf('service-%02d', (feature + 7 * (nth // 4 % 3)) % 20) END
    AS service
FROM hung
ORDER BY n
