"""Shares of a total: as people read them, and as whole units that add up to it again."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction

from tallybook.errors import MoneyError
from tallybook.money.rounding import half_even
from tallybook.money.text import format_units


def format_share(part: int, whole: int) -> str:
    """A share of a total for people, to a tenth of a percent: ``"3.6 %"``; of nothing, ``"-"``.

    Args:
        part: any unit.
        whole: the same unit.
    """
    if not whole:
        return "-"
    tenths = half_even(part * 1000, whole)
    sign = "-" if tenths < 0 else ""
    return f"{sign}{abs(tenths) // 10}.{abs(tenths) % 10} %"


def format_percent(rate: Fraction) -> str:
    """A stated rate in as few digits as say it exactly: ``"15 %"``, ``"12.5 %"``.

    Args:
        rate: 15 % is ``Fraction(15, 100)``; at most four decimals of a percent are shown.
    """
    text = format_units(half_even(rate.numerator * 10**6, rate.denominator), 4)
    return f"{text.rstrip('0').rstrip('.')} %"


def format_ratio(part: int, whole: int, places: int) -> str:
    """A ratio as decimal text, half-even: ``format_ratio(1, 3, 4) == "0.3333"``.

    Args:
        part: any unit, any sign.
        whole: the same unit, any sign.
        places: decimals of the text.

    Raises:
        MoneyError: the whole is zero.
    """
    sign = -1 if whole < 0 else 1
    return format_units(half_even(sign * part * 10**places, sign * whole), places)


def whole_parts(parts: Sequence[Fraction]) -> list[int]:
    """Exact parts of a whole number as whole numbers that add up to it.

    Returns:
        One number per part, the step between two rounded running sums, at most one unit from
        the exact part.

    Raises:
        MoneyError: the parts do not add up to a whole number.
    """
    total = sum(parts, Fraction(0))
    if total.denominator != 1:
        raise MoneyError(f"the parts add up to {total}, which is no whole number")
    rounded = [half_even(each.numerator, each.denominator) for each in itertools.accumulate(parts)]
    return [after - before for before, after in itertools.pairwise([0, *rounded])]
