-- Traces without a root in which calls name neither a span nor a parent.
SELECT DISTINCT k.trace
FROM kin k
ANTI JOIN (SELECT trace FROM kin WHERE place = 0) r ON k.trace = r.trace
WHERE k.place = 3
