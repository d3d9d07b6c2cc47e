"""What each use case spent so far and hour by hour: what budgets are held against meanwhile."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from tallybook.books.model import Books
from tallybook.clock import Clock, Period
from tallybook.live.bucket import Figures
from tallybook.live.cut import Cut, cost_of
from tallybook.live.model import HOUR_US
from tallybook.live.rollup import Rollup
from tallybook.live.usual import Who
from tallybook.store import Store


@dataclass(frozen=True, slots=True)
class Spend:
    """Cost at the rate card in pico by team and feature: provisional, as everything live is.

    Attributes:
        month: of the period so far.
        hours: of each clock hour up to the running one, from the first that is kept, the oldest
            first; hours without usage are there.
        first_hour_us: the first instant of the first of them; None if none is kept.
    """

    period: Period
    at_us: int
    books: Books
    month: Mapping[Who, int]
    hours: Mapping[Who, tuple[int, ...]]
    first_hour_us: int | None

    def hour_starts_us(self) -> range:
        """The first instants of the hours."""
        if self.first_hour_us is None:
            return range(0)
        return range(self.first_hour_us, self.at_us - self.at_us % HOUR_US, HOUR_US)


def spend_so_far(store: Store, clock: Clock) -> Spend:
    """Take in what came, and say what each use case spent.

    Raises:
        BooksError: no policy files were applied.
        StoreError: others kept changing what this stands on.
    """
    rollup = Rollup(store, clock)
    try:
        standing = rollup.caught_up()
        month = Cut.together(rollup.month(standing))
        first_us = rollup.first_hour_us(standing)
        basis = standing.ground.basis
        spend = Spend(
            basis.period,
            standing.now_us,
            basis.books,
            {who: cost_of(held) for who, held in month.features.items()},
            {},
            first_us,
        )
        starts = spend.hour_starts_us()
        found = rollup.hours(standing, starts)
        hours = _by_feature([found[at] for at in starts])
        return Spend(spend.period, spend.at_us, spend.books, spend.month, hours, first_us)
    finally:
        rollup.close()


def _by_feature(hours: list[Figures]) -> dict[Who, tuple[int, ...]]:
    held: dict[Who, list[int]] = defaultdict(lambda: [0] * len(hours))
    for place, figures in enumerate(hours):
        for subject, values in figures.items():
            held[subject.team, subject.feature][place] += cost_of(values)
    return {who: tuple(costs) for who, costs in held.items()}
