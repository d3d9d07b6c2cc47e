"""What an hour usually costs: the mean of the same hour of earlier weeks, or of earlier days.

Exact fractions; nothing is forecast and nothing is smoothed. Hours before the first usage that is
known do not count, and hours without usage since then count as nothing spent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Final

from tallybook.live.model import HOUR_US, Usual

DAY_US: Final = 24 * HOUR_US
WEEK_US: Final = 7 * DAY_US
DAYS: Final = 28
WEEKS_LEAST: Final = 2
"""From so many earlier weeks on, an hour is compared with its own weekday."""

Who = tuple[str, str]
"""team and feature; both empty for everybody together"""


@dataclass(frozen=True, slots=True)
class Before:
    """The earlier hours that one is compared with: how many, and what all of them cost, by whom."""

    hours: int
    is_weeks: bool
    costs: Mapping[Who, int]


def hours_before(hour_us: int, first_us: int | None) -> tuple[list[int], bool]:
    """The earlier hours that one is compared with, the latest first; and whether they are weeks.

    Args:
        hour_us: the first instant of an hour.
        first_us: the first hour that anything is known of; None for nothing.
    """
    if first_us is None:
        return [], False
    days = [hour_us - n * DAY_US for n in range(1, DAYS + 1)]
    days = [at for at in days if at >= first_us]
    weeks = [at for at in days if (hour_us - at) % WEEK_US == 0]
    return (weeks, True) if len(weeks) >= WEEKS_LEAST else (days, False)


def touched_hours(from_us: int, to_us: int) -> list[int]:
    """The clock hours that a stretch touches, by their first instants."""
    return list(range(from_us - from_us % HOUR_US, to_us, HOUR_US))


def usual_of(from_us: int, to_us: int, before: Mapping[int, Before], who: Who) -> Usual | None:
    """What a stretch of at most some hours usually costs.

    Each clock hour that it touches counts by the part of it that the stretch covers.

    Args:
        from_us: the stretch, half-open.
        to_us: its end.
        before: by clock hour, what it is compared with.
        who: whose cost.

    Returns:
        None if there is no earlier hour to go by.
    """
    parts: list[tuple[int, int]] = []
    is_weeks = True
    for at in touched_hours(from_us, to_us):
        held = before.get(at)
        if held is None or not held.hours:
            return None
        part = min(to_us, at + HOUR_US) - max(from_us, at)
        parts.append((held.costs.get(who, 0) * part, held.hours))
        is_weeks = is_weeks and held.is_weeks
    if not parts:
        return None
    whole = lcm(*(hours for _, hours in parts))
    total = sum(cost * (whole // hours) for cost, hours in parts)
    most = max(hours for _, hours in parts)
    return Usual(Fraction(total, whole * HOUR_US), most, "weeks" if is_weeks else "days")
