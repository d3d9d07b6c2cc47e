-- The least that the job can cost: one scan, one price layer, one sum, at most 300,000 groups.
CREATE OR REPLACE TABLE bare AS
SELECT e.team, e.feature, e.model, e.started_us // 86400000000 AS day, SUM({amount}) AS pico
FROM events e
JOIN price p ON e.provider = p.provider AND e.model = p.model
  AND e.tier = p.tier AND e.region = p.region
  AND e.started_us >= p.from_us AND e.started_us < p.to_us
  AND e.context_tokens > p.context_over AND e.context_tokens <= p.context_upto
GROUP BY ALL
