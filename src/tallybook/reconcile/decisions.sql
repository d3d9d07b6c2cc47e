-- What people decided about the variances of a period, the oldest first.
SELECT variance, status, owner, reason, actor, at_us
FROM variance_decision
WHERE period = :period
ORDER BY seq
