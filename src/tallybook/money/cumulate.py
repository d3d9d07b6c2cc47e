"""Rounding many small amounts without drift.

Rounded one by one, a thousand calls below half a cent are free. Here the running sum is rounded
and each part is the step between two rounded sums, so that the parts always add up to the rounded
whole and each is less than one unit from its exact value. The parts depend on the order of the
amounts; their sum does not. Whoever calls sorts by a stable key.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from fractions import Fraction

from tallybook.money.model import PICO_PER_NANO
from tallybook.money.rounding import half_even


def cumulative_nano(picos: Sequence[int]) -> list[int]:
    """Cross rated amounts (10^-12) to posting amounts (10^-9) that sum to the rounded sum.

    Returns:
        One amount per input: ``round(C_k) - round(C_{k-1})`` of the running sums ``C``.
    """
    return _steps(half_even(sum_pico, PICO_PER_NANO) for sum_pico in itertools.accumulate(picos))


def cumulative_share(nanos: Sequence[int], rate: Fraction) -> list[int]:
    """Take a rate, such as a markup, of posting amounts; the parts sum to the rounded whole.

    Args:
        nanos: amounts in 10^-9 currency units, of any sign.
        rate: exact fraction of one, as :func:`tallybook.money.parse_percent` reads it.

    Returns:
        One amount per input, in 10^-9 currency units.
    """
    return _steps(
        half_even(sum_nano * rate.numerator, rate.denominator)
        for sum_nano in itertools.accumulate(nanos)
    )


def _steps(rounded_sums: Iterable[int]) -> list[int]:
    return [
        after - before for before, after in itertools.pairwise(itertools.chain([0], rounded_sums))
    ]
