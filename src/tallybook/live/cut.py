"""The cuts of a bucket: by feature and by agent, and how much nobody owns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from operator import is_
from typing import Final, TypeVar

from tallybook.live.bucket import Figures
from tallybook.live.model import FIGURES, Row, Tally
from tallybook.live.usual import Who

_COST: Final = FIGURES.index("cost_pico")
_NONE: Final = (0,) * len(FIGURES)


class Cut:
    """Figures added up in every way that an answer asks for."""

    def __init__(self) -> None:
        self.features: dict[Who, Sequence[int]] = {}
        self.agents: dict[str, Sequence[int]] = {}
        self.unallocated: Sequence[int] = _NONE

    @classmethod
    def of(cls, figures: Figures) -> Cut:
        """The cut of one bucket."""
        made = cls()
        for subject, held in figures.items():
            _add(made.features, (subject.team, subject.feature), held)
            _add(made.agents, subject.agent, held)
            if not subject.allocated:
                made.unallocated = _plus(made.unallocated, held)
        return made

    @classmethod
    def together(cls, cuts: Iterable[Cut]) -> Cut:
        """Several cuts as one."""
        made = cls()
        for cut in cuts:
            for who, held in cut.features.items():
                _add(made.features, who, held)
            for agent, held in cut.agents.items():
                _add(made.agents, agent, held)
            made.unallocated = _plus(made.unallocated, cut.unallocated)
        return made

    @property
    def total(self) -> Tally:
        """All of it."""
        sums: Sequence[int] = _NONE
        for held in self.agents.values():
            sums = _plus(sums, held)
        return Tally(*sums)


class Cuts:
    """The cut of the buckets that were asked for last; a bucket that moved is another one."""

    def __init__(self) -> None:
        self._buckets: Sequence[Figures] = ()
        self._cut = Cut()

    def of(self, buckets: Sequence[Figures]) -> Cut:
        """The cut of some buckets together."""
        held = self._buckets
        same = len(held) == len(buckets) and all(map(is_, held, buckets))
        if not same:
            self._cut = Cut.together(map(Cut.of, buckets))
            self._buckets = tuple(buckets)
        return self._cut


def cost_of(held: Sequence[int]) -> int:
    """The cost among figures."""
    return held[_COST]


def rows_of(
    months: Mapping[Who, Sequence[int]], hours: Mapping[Who, Sequence[int]], most: int
) -> list[Row]:
    """A cut by team and feature as rows, the dearest of the last hour first, the rest in one.

    Args:
        months: the month to date.
        hours: the last hour.
        most: how many rows before the rest; 0 for all.
    """
    every = months.keys() | hours.keys()
    shown = sorted(
        every,
        key=lambda who: (-cost_of(hours.get(who, _NONE)), -cost_of(months.get(who, _NONE)), who),
    )
    listed = shown[:most] if most and len(shown) > most + 1 else shown
    rows = [
        Row(who[0], who[1], "", Tally(*months.get(who, _NONE)), Tally(*hours.get(who, _NONE)))
        for who in listed
    ]
    rest = shown[len(listed) :]
    if rest:
        rows.append(Row("", "", "", _sum(months, rest), _sum(hours, rest), others=len(rest)))
    return rows


def _sum(held: Mapping[Who, Sequence[int]], wanted: Iterable[Who]) -> Tally:
    sums: Sequence[int] = _NONE
    for who in wanted:
        if who in held:
            sums = _plus(sums, held[who])
    return Tally(*sums)


def costs_of(stretches: Iterable[Figures], everybody: Who) -> dict[Who, int]:
    """What several stretches cost together, by team and feature, and all of it."""
    found: dict[Who, int] = defaultdict(int)
    for figures in stretches:
        for subject, held in figures.items():
            found[subject.team, subject.feature] += held[_COST]
            found[everybody] += held[_COST]
    return found


T = TypeVar("T")


def _add(sums: dict[T, Sequence[int]], who: T, figures: Sequence[int]) -> None:
    held = sums.get(who)
    sums[who] = figures if held is None else _plus(held, figures)


def _plus(one: Sequence[int], other: Sequence[int]) -> Sequence[int]:
    a, b, c, d, e, f, g = one
    h, i, j, k, m, n, o = other
    return (a + h, b + i, c + j, d + k, e + m, f + n, g + o)
