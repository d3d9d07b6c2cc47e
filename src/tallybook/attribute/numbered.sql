-- The combinations with their numbers, for deciding who owns each.
SELECT combo, epoch, {carried}
FROM combos
ORDER BY combo
