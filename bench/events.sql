-- Made-up events number $first to $last of $total, in order of time, each decided by its number
-- alone; $per events in a row are one feature's. A feature has one team, one endpoint, one service, and four or five models of its own.
WITH
drawn AS (
  SELECT
    n,
    hash(n // $per, 1) % 2000 AS feature,
    hash(n, 2) % 100 AS share,
    hash(n, 3) % 100 AS key_share,
    hash(n, 4) % 100 AS tier_share,
    hash(n, 5) % 5 AS nth,
    hash(n, 6) AS a,
    hash(n, 7) AS b,
    hash(n, 8) AS c
  FROM range($first, $last) numbers(n)
),
decided AS (
  SELECT
    *,
    share < 2 AS untagged,
    -- The fifth model is another provider's; one feature in ten has four.
    CASE
      WHEN nth = 4 AND feature % 10 <> 0 THEN (10 * (feature % 6) + 10 + feature % 10) % 60
      ELSE 10 * (feature % 6) + (feature // 6 + nth % 4) % 10
    END AS model,
    CAST($start_us + CAST(n AS HUGEINT) * ($end_us - $start_us) // $total AS BIGINT) AS started_us
  FROM drawn
),
counted AS (
  SELECT
    *,
    CAST(100 + a % 3900 + CASE WHEN b % 200 = 0 THEN 250000 ELSE 0 END AS BIGINT) AS fresh,
    CAST(CASE WHEN b % 10 < 3 THEN a % 60000 ELSE 0 END AS BIGINT) AS read,
    CAST(CASE WHEN b % 10 < 1 THEN a % 9000 ELSE 0 END AS BIGINT) AS write,
    CAST(20 + c % 1500 AS BIGINT) AS output
  FROM decided
)
SELECT
  unhex(md5('key' || n)) AS key,
  unhex(md5('record' || n)) AS record,
  started_us,
  fresh + read + write AS context_tokens,
  fresh + read + write + output AS total_tokens,
  started_us + CAST(a % 9000000 AS BIGINT) AS ended_us,
  CAST(a % 9000 AS BIGINT) AS latency_ms,
  fresh AS input_uncached,
  read AS cache_read,
  write AS cache_write_5m,
  output,
  'e-' || n AS event_id,
  'gateway' AS source,
  ['anthropic', 'azure', 'bedrock', 'google', 'mistral', 'openai'][CAST(1 + model // 10 AS INT)] AS provider,
  printf('model-%02d', model) AS model,
  'chat' AS operation,
  CASE WHEN tier_share < 88 THEN '' WHEN tier_share < 97 THEN 'batch' ELSE 'priority' END AS tier,
  'reported' AS usage,
  CASE WHEN b % 100 = 0 THEN 'estimated' ELSE 'reported' END AS state,
  CASE WHEN c % 100 = 0 THEN 'error' ELSE 'ok' END AS status,
  CASE WHEN untagged THEN '' ELSE printf('team-%03d', feature % 200) END AS team,
  CASE WHEN untagged THEN '' ELSE printf('feature-%04d', feature) END AS feature,
  CASE WHEN untagged THEN '' WHEN key_share < 90 THEN 'production' ELSE 'development' END AS purpose,
  'prod' AS environment,
  's-' || a % 50000 AS session,
  printf('/v1/chat-%d', feature % 12) AS endpoint,
  'v' || feature % 9 AS prompt_version,
  md5('trace' || n // 4) AS trace_id,
  substr(md5('span' || n), 1, 16) AS span_id,
  CASE WHEN share % 20 = 7 THEN printf('service-%02d', feature % 20) ELSE '' END AS service,
  'r-' || n AS response_id,
  CASE
    WHEN share = 0 THEN ''
    ELSE printf('vk-%03d-', feature % 200)
      || CASE WHEN key_share < 90 THEN 'production' ELSE 'development' END
  END AS key_id,
  CASE WHEN c % 20 = 3 THEN MAP {'web_search': CAST(1 + c % 3 AS BIGINT)} END AS units
FROM counted
