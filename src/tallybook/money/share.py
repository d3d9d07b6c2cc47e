"""Shares of a total as people read them."""

from __future__ import annotations

from tallybook.money.rounding import half_even


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
