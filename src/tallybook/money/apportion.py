"""Splitting a whole into parts that add up to it again, to the unit.

Largest remainder (Hamilton): everybody gets the whole units of the exact share, and the units left
over go to the largest remainders. Equal remainders are ordered by a keyed hash of the target, so
the result does not depend on the order of the targets and, over many salts, favours nobody.

Largest remainder is not monotone: a larger total can give one target a unit less. A restatement
therefore posts the difference per target, of either sign.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from fractions import Fraction

from tallybook.errors import MoneyError

TIE_HASH_BYTES = 16


def apportion(
    total: int,
    weights: Sequence[int | Fraction],
    keys: Sequence[str],
    salt: str,
    floor: int = 0,
) -> list[int]:
    """Split a total over targets in proportion to their weights, exactly.

    Args:
        total: whole units of any sign; a negative total is split as its absolute value, negated.
        weights: one per target, integers or fractions, none negative; a zero weight gets zero.
        keys: the distinct names of the targets, which order equal remainders.
        salt: what is split, such as pool and period; with the key it makes the tie-break.
        floor: least number of units, in absolute value, of a target with a non-zero weight. If
            the total cannot hold all floors, they shrink alike and the split is even.

    Returns:
        One part per target, in the order given; they sum to ``total``. Without a floor each is
        less than one unit from the exact share.

    Raises:
        MoneyError: an empty base (no weight above zero), a negative or inexact weight, a total
            or floor that is no integer, keys that repeat or do not match the weights.
    """
    return Targets(weights, keys).parts(total, salt, floor)


class Targets:
    """Who shares wholes, with their weights: looked at once, however many wholes they share.

    Args:
        weights: one per target, as `apportion` has them.
        keys: the distinct names of the targets.

    Raises:
        MoneyError: a negative or inexact weight, keys that repeat or do not match the weights.
    """

    __slots__ = ("_base", "_keys", "_weights")

    def __init__(self, weights: Sequence[int | Fraction], keys: Sequence[str]) -> None:
        _require_names(weights, keys)
        self._keys, self._weights = keys, _whole_weights(weights)
        self._base = sum(self._weights)

    def parts(self, total: int, salt: str, floor: int = 0) -> list[int]:
        """One part of a total per target, as `apportion` gives them.

        Raises:
            MoneyError: no weight is above zero, or the total or the floor is no integer.
        """
        if type(total) is not int or type(floor) is not int or floor < 0:
            raise MoneyError(
                f"total {total!r} and floor {floor!r} must be integers, the floor not negative",
            )
        if not self._base:
            raise MoneyError(
                f"empty base: {len(self._weights)} targets and no weight above zero for a total"
                f" of {total}",
                next_step="name a fallback target for the whole amount",
            )
        size = abs(total)
        if floor:
            parts = _floored(size, self._weights, self._keys, salt, floor)
        else:
            parts = _proportional(size, self._weights, self._base, self._keys, salt)
        return [-part for part in parts] if total < 0 else parts


def largest_first(
    remainders: Sequence[int], count: int, keys: Sequence[str], salt: str
) -> Iterable[int]:
    """Positions of the ``count`` largest remainders, ties in the order of the keyed hash.

    Only the remainders that tie at the cut are hashed: a million targets need a sort, not a
    million hashes.
    """
    if count == 0:
        return []
    cut = sorted(remainders, reverse=True)[count - 1]
    above = [place for place, rest in enumerate(remainders) if rest > cut]
    tied = [place for place, rest in enumerate(remainders) if rest == cut]
    wanted = count - len(above)
    if wanted < len(tied):
        salted = hashlib.blake2b(salt.encode()).digest()
        keyed = hashlib.blake2b(key=salted, digest_size=TIE_HASH_BYTES)
        tied.sort(key=lambda place: _tie_hash(keyed, keys[place]))
    return above + tied[:wanted]


def _tie_hash(keyed: hashlib.blake2b, key: str) -> bytes:
    mine = keyed.copy()
    mine.update(key.encode())
    return mine.digest()


def _require_names(weights: Sequence[int | Fraction], keys: Sequence[str]) -> None:
    if len(weights) != len(keys):
        raise MoneyError(f"{len(weights)} weights for {len(keys)} keys of targets")
    if len(set(keys)) != len(keys):
        raise MoneyError(
            f"{len(keys)} targets have only {len(set(keys))} distinct keys",
            next_step="name each target once and add up its weights",
        )


def _whole_weights(weights: Sequence[int | Fraction]) -> Sequence[int]:
    """Weights as integers in the same proportions; all-integer weights stay what they are."""
    kinds = set(map(type, weights))
    if not kinds <= {int, Fraction}:
        names = sorted(kind.__name__ for kind in kinds - {int, Fraction})
        raise MoneyError(f"weights must be integers or fractions, got {', '.join(names)}")
    if weights and min(weights) < 0:
        raise MoneyError(
            f"weight {min(weights)} is negative",
            next_step="a cost driver counts; take out what is below zero before the split",
        )
    if kinds <= {int}:
        return [int(weight) for weight in weights]
    common = math.lcm(*(weight.denominator for weight in weights))
    return [weight.numerator * (common // weight.denominator) for weight in weights]


def _proportional(
    size: int, weights: Sequence[int], base: int, keys: Sequence[str], salt: str
) -> list[int]:
    if len(weights) == 2:  # noqa: PLR2004 - as most shared costs are
        return _of_two(size, weights, base, keys, salt)
    parts = [size * weight // base for weight in weights]
    # The remainders sum to left_over x base and each is below base, so more than left_over of
    # them are above zero: a zero weight, whose remainder is zero, never gets a unit.
    left_over = size - sum(parts)
    if left_over:
        remainders = [size * weight % base for weight in weights]
        for place in largest_first(remainders, left_over, keys, salt):
            parts[place] += 1
    return parts


def _of_two(
    size: int, weights: Sequence[int], base: int, keys: Sequence[str], salt: str
) -> list[int]:
    """The same for two: one has what the other leaves, so there is one remainder to look at."""
    first, rest = divmod(size * weights[0], base)
    if 2 * rest > base or (2 * rest == base and 0 in largest_first((rest, rest), 1, keys, salt)):
        first += 1
    return [first, size - first]


def _floored(
    size: int, weights: Sequence[int], keys: Sequence[str], salt: str, floor: int
) -> list[int]:
    """``max(floor, lambda x weight)`` with lambda such that the parts sum to ``size``.

    Targets are floored from the lightest up. Flooring one only lowers what the others share, so
    whoever is floored stays floored and the first who is not ends the search.
    """
    live = sorted(
        (place for place, weight in enumerate(weights) if weight), key=weights.__getitem__
    )
    if len(live) * floor > size:
        return _proportional(size, [int(weight > 0) for weight in weights], len(live), keys, salt)
    rest_size, rest_base = size, sum(weights)
    floored = 0
    while rest_size * weights[live[floored]] < floor * rest_base:
        rest_size -= floor
        rest_base -= weights[live[floored]]
        floored += 1
    rest_weights = list(weights)
    for place in live[:floored]:
        rest_weights[place] = 0
    parts = _proportional(rest_size, rest_weights, rest_base, keys, salt)
    for place in live[:floored]:
        parts[place] = floor
    return parts
