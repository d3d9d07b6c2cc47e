"""The cuts of a bucket: by feature and by agent, and how much nobody owns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from operator import is_
from typing import Final, TypeVar

from tallybook.live.bucket import Figures, plus, summed
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
        made._take(figures)
        return made

    def plus(self, more: Figures) -> Cut:
        """The cut of a bucket with others added; who comes to nothing is gone."""
        made = Cut()
        made.features, made.agents = dict(self.features), dict(self.agents)
        made.unallocated = self.unallocated
        made._take(more)
        for (team, feature, agent, _), held in more.items():
            if min(held) < 0:
                _drop(made.features, (team, feature))
                _drop(made.agents, agent)
        return made

    def _take(self, figures: Figures) -> None:
        for (team, feature, agent, allocated), held in figures.items():
            _add(self.features, (team, feature), held)
            _add(self.agents, agent, held)
            if not allocated:
                self.unallocated = plus(self.unallocated, held)

    @classmethod
    def together(cls, cuts: Iterable[Cut]) -> Cut:
        """Several cuts as one."""
        made = cls()
        for cut in cuts:
            if not made.agents:  # the first: nothing is added yet
                made.features, made.agents = dict(cut.features), dict(cut.agents)
            else:
                for who, held in cut.features.items():
                    _add(made.features, who, held)
                for agent, held in cut.agents.items():
                    _add(made.agents, agent, held)
            made.unallocated = plus(made.unallocated, cut.unallocated)
        return made

    @property
    def total(self) -> Tally:
        """All of it."""
        return summed(self.agents.values())


class Cuts:
    """Several cuts as one, until one of them moves: one that moved is another one."""

    def __init__(self) -> None:
        self._cuts: Sequence[Cut] = ()
        self._together = Cut()

    def of(self, cuts: Sequence[Cut]) -> Cut:
        """Some cuts together."""
        held = self._cuts
        if len(held) != len(cuts) or not all(map(is_, held, cuts)):
            self._together, self._cuts = Cut.together(cuts), tuple(cuts)
        return self._together


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
    nobody: Sequence[int] = _NONE
    shown = sorted(
        (-hours.get(who, nobody)[_COST], -months.get(who, nobody)[_COST], who) for who in every
    )
    listed = shown[:most] if most and len(shown) > most + 1 else shown
    rows = [
        Row(who[0], who[1], "", Tally(*months.get(who, _NONE)), Tally(*hours.get(who, _NONE)))
        for _, _, who in listed
    ]
    rest = [who for _, _, who in shown[len(listed) :]]
    if rest:
        rows.append(Row("", "", "", _sum(months, rest), _sum(hours, rest), others=len(rest)))
    return rows


def _sum(held: Mapping[Who, Sequence[int]], wanted: Iterable[Who]) -> Tally:
    return summed(held[who] for who in wanted if who in held)


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
    sums[who] = figures if held is None else plus(held, figures)


def _drop(sums: dict[T, Sequence[int]], who: T) -> None:
    if not any(sums.get(who, (1,))):
        del sums[who]
