"""One day of prices: which price holds at a second of the UTC day and a context.

A grid is a few disjoint cells. Where no cell lies, there is no price. Discounts, contracts and
the rate card are all made by laying one grid over another.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from tallybook.rate.model import ANY_CONTEXT, NO_BOUND, Vector

DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class Cell:
    """One price: from a second of the day until before another, over a band of contexts."""

    from_s: int
    to_s: int
    over: int
    upto: int
    prices: Vector

    def holds(self, second: int, context: int) -> bool:
        """Whether the cell prices a call at the second with this many input tokens."""
        return self.from_s <= second < self.to_s and self.over < context <= self.upto


Grid = tuple[Cell, ...]


def whole_day(prices: Vector, over: int = NO_BOUND, upto: int = ANY_CONTEXT) -> Cell:
    """A price that holds all day."""
    return Cell(0, DAY_S, over, upto, prices)


def price_at(grid: Grid, second: int, context: int) -> Vector | None:
    """The price at a second of the day and a context; None where there is none."""
    return next((cell.prices for cell in grid if cell.holds(second, context)), None)


def seconds_of(grids: Iterable[Grid]) -> list[int]:
    """Every second of the day at which a price of these grids may change, 0 and 86400 included."""
    cells = [cell for grid in grids for cell in grid]
    return sorted({0, DAY_S} | {s for cell in cells for s in (cell.from_s, cell.to_s)})


def contexts_of(grids: Iterable[Grid]) -> list[int]:
    """Every bound between two context bands of these grids, with the outermost two."""
    cells = [cell for grid in grids for cell in grid]
    return sorted({NO_BOUND, ANY_CONTEXT} | {c for cell in cells for c in (cell.over, cell.upto)})


def mapped(grid: Grid, change: Callable[[int], int]) -> Grid:
    """The grid with every price changed."""
    return tuple(
        Cell(c.from_s, c.to_s, c.over, c.upto, {m: change(p) for m, p in c.prices.items()})
        for c in grid
    )


def overlaid(first: Grid, second: Grid) -> Grid:
    """The first grid's price of each meter, and the second's where the first has none."""
    if not second:
        return first
    return tuple(_overlay_cells(first, second))


def _overlay_cells(first: Grid, second: Grid) -> Iterator[Cell]:
    seconds, contexts = seconds_of((first, second)), contexts_of((first, second))
    for from_s, to_s in itertools.pairwise(seconds):
        for over, upto in itertools.pairwise(contexts):
            above = price_at(first, from_s, upto)
            below = price_at(second, from_s, upto)
            if above is not None or below is not None:
                yield Cell(from_s, to_s, over, upto, {**(below or {}), **(above or {})})
