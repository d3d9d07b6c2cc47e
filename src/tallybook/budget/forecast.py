"""When a budget runs out: whole days of the past drawn again and again, in whole numbers.

The method is the bootstrap (Efron, 1979) for prediction (Davison and Hinkley, Bootstrap Methods and
their Application, 1997, section 6.3): a path of the future is made of days of the past, and the
quantiles of many paths are the interval. Days keep the shape of their hours. Each path first draws
the days that it draws from, so that few days make a wide interval. It looks back over all days, or
the last half, or the last quarter and so on, each as likely, because a change of pace makes older
days poor witnesses (Pesaran and Timmermann, Journal of Econometrics 137, 2007). From two weeks on a
working day is made of working days and a weekend of weekends.

Draws come from a digest of what is forecast, so the same question has the same answer. How often
the interval holds on recorded demand is in docs/benchmarks.md, as the bench measured it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, NamedTuple

from tallybook.money import half_even

HOUR_US: Final = 3_600_000_000
DAY_US: Final = 24 * HOUR_US
HOURS: Final = 24
DAYS_LEAST: Final = 3
"""Fewer whole days than these tell nothing."""
DAYS_OF_KINDS: Final = 14
"""From so many days on, working days and weekends are told apart."""
WEEK: Final = 7
PAIR: Final = 2
"""The fewest days that a path looks back over, where the two kinds are told apart and where not."""
PATHS: Final = 1_000
LOW, HIGH = (1, 20), (19, 20)
"""The interval between these shares of the paths is told as eight futures in ten: few days do not
show how wide demand is, and on recorded demand it held that often where the past is like what came
(`python -m bench --forecast`)."""


class Day(NamedTuple):
    """24 hours of the past in pico, the first hour first, and whether most of it is a weekend."""

    hours: tuple[int, ...]
    is_weekend: bool

    @property
    def total(self) -> int:
        """What the day cost."""
        return sum(self.hours)


@dataclass(frozen=True, slots=True)
class Range:
    """A figure with its interval: what comes is within ``low`` and ``high`` eight times in ten."""

    low: int
    middle: int
    high: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a budget comes to if the coming days are like those of the past.

    Attributes:
        at_us: from when on.
        days: how many whole days it stands on.
        per_day_pico: their mean.
        month_end_pico: what will have been spent at the end of the month.
        runs_out_us: when nothing is left; an instant of 0 is: not within the month.
        out_of_ten: how many of ten paths run out within the month, rounded.
    """

    at_us: int
    days: int
    per_day_pico: int
    month_end_pico: Range
    runs_out_us: Range
    out_of_ten: int


def forecast(
    past: Sequence[Day],
    coming: Sequence[bool],
    *,
    at_us: int,
    end_us: int,
    spent_pico: int,
    limit_pico: int,
    salt: str,
    paths: int = PATHS,
) -> Forecast | None:
    """When a budget runs out and where it ends the month.

    Args:
        past: whole days up to ``at_us``, the oldest first.
        coming: for each stretch of 24 hours from ``at_us`` on, until ``end_us`` is reached, whether
            most of it is a weekend.
        at_us: from when on.
        end_us: the end of the month.
        spent_pico: what was spent of the month by then.
        limit_pico: the budget in force.
        salt: names the question, such as the budget and the month.
        paths: how many are drawn.

    Returns:
        None where fewer than ``DAYS_LEAST`` days are known: nothing is made up.
    """
    if len(past) < DAYS_LEAST:
        return None
    draws = _draws(f"{salt}:{at_us}:{len(past)}")
    ends, outs = [], []
    for _ in range(paths):
        spent, out_us = _path(past, coming, draws, at_us, end_us, spent_pico, limit_pico)
        ends.append(spent)
        outs.append(out_us)
    ends.sort()
    outs.sort()
    never = sum(1 for us in outs if us >= end_us)
    return Forecast(
        at_us=at_us,
        days=len(past),
        per_day_pico=half_even(sum(day.total for day in past), len(past)),
        month_end_pico=Range(_at(ends, LOW), _at(ends, (1, 2)), _at(ends, HIGH)),
        runs_out_us=Range(
            *(us if us < end_us else 0 for us in (_at(outs, p) for p in (LOW, (1, 2), HIGH)))
        ),
        out_of_ten=half_even((paths - never) * 10, paths),
    )


def _path(
    past: Sequence[Day],
    coming: Sequence[bool],
    draws: Iterator[int],
    at_us: int,
    end_us: int,
    spent_pico: int,
    limit_pico: int,
) -> tuple[int, int]:
    """One future: what is spent at the end of the month, and when the budget ran out."""
    kinds = len(past) >= DAYS_OF_KINDS
    windows = _windows(len(past), WEEK if kinds else PAIR)
    window = past[len(past) - windows[next(draws) % len(windows)] :]
    drawn = [window[next(draws) % len(window)] for _ in window]
    pools = {
        kind: (_of_kind(drawn, kind) or _of_kind(window, kind) or drawn) if kinds else drawn
        for kind in (False, True)
    }
    out_us = at_us if spent_pico >= limit_pico else end_us
    for number, is_weekend in enumerate(coming):
        pool = pools[is_weekend]
        day = pool[next(draws) % len(pool)]
        start_us = at_us + number * DAY_US
        cost = _until(day, end_us - start_us)
        if out_us == end_us and spent_pico + cost >= limit_pico:
            out_us = start_us + _reached_us(day, limit_pico - spent_pico)
        spent_pico += cost
    return spent_pico, min(out_us, end_us)


def _of_kind(days: Sequence[Day], is_weekend: bool) -> list[Day]:  # noqa: FBT001 - the kind
    return [day for day in days if day.is_weekend == is_weekend]


def _windows(days: int, least: int) -> list[int]:
    """How far back a path may look: all days, half of them, a quarter, down to the least."""
    found = [days]
    while found[-1] // 2 >= least:
        found.append(found[-1] // 2)
    return found


def _until(day: Day, room_us: int) -> int:
    """What a day costs within the time that is left of the month."""
    if room_us >= DAY_US:
        return day.total
    whole, rest_us = divmod(max(room_us, 0), HOUR_US)
    part = half_even(day.hours[whole] * rest_us, HOUR_US) if rest_us else 0
    return sum(day.hours[:whole]) + part


def _reached_us(day: Day, left_pico: int) -> int:
    """How far into a day its hours have cost so much; within an hour spending is even."""
    for number, cost in enumerate(day.hours):
        if cost and left_pico <= cost:
            return number * HOUR_US + half_even(max(left_pico, 0) * HOUR_US, cost)
        left_pico -= cost
    return DAY_US


def _at(ordered: Sequence[int], share: tuple[int, int]) -> int:
    """The value below which a share of them lies."""
    part, whole = share
    return ordered[min(len(ordered) * part // whole, len(ordered) - 1)]


def _draws(salt: str) -> Iterator[int]:
    """Numbers that look drawn at random and are the same whenever the salt is."""
    key, number = blake2b(salt.encode(), digest_size=32).digest(), 0
    while True:
        block = blake2b(number.to_bytes(8, "big"), key=key, digest_size=64).digest()
        for start in range(0, 64, 8):
            yield int.from_bytes(block[start : start + 8], "big")
        number += 1


def split_days(hours: Sequence[int], is_weekend: Sequence[bool]) -> list[Day]:
    """Hours up to now as whole days that end with the last; what is older than those is left out.

    Args:
        hours: the oldest first.
        is_weekend: of each hour.
    """
    days = []
    for start in range(len(hours) % HOURS, len(hours), HOURS):
        weekend = sum(is_weekend[start : start + HOURS])
        days.append(Day(tuple(hours[start : start + HOURS]), weekend * 2 > HOURS))
    return days
