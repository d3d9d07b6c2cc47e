"""The flow between teams as a picture: three columns, and ribbons as thick as the money.

Whole pixels only; the template draws them. A ribbon keeps the look of the team that caused it, all
the way from who caused to who ran to who pays. Labels and the table beside say the same in words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from tallybook.money import half_even
from tallybook.report import figures
from tallybook.report.graph.model import Edge, GraphView

WIDTH = 760
STYLES = 8
COLUMNS = ("Caused by", "Run by", "Paid by")
_NODE_WIDTH = 10
_XS = (0, 375, 750)
"""Where each column's nodes begin; what they say stands above them."""
_ANCHORS = ("start", "middle", "end")
_TOP = 48
_GAP = 30
_ROOM = 24
"""Pixels that a team gets at least in the height that amounts are drawn to."""
_HEIGHT_MIN = 200

Key = TypeVar("Key", bound=Hashable)
Link = tuple[str, str, str]
"""left team, right team, the team that caused it"""


@dataclass(frozen=True, slots=True)
class Node:
    """A team in one column: where it is drawn, and what it says at ``text_x``."""

    label: str
    amount: str
    x: int
    y: int
    height: int
    text_x: int
    anchor: str
    width: int = _NODE_WIDTH


@dataclass(frozen=True, slots=True)
class Ribbon:
    """Money on its way from one column to the next; ``style`` is 1 to 8."""

    path: str
    style: int
    words: str


@dataclass(frozen=True, slots=True)
class Picture:
    """The whole drawing; ``heads`` are (x, anchor, words) above the columns."""

    width: int
    height: int
    heads: tuple[tuple[int, str, str], ...]
    nodes: tuple[Node, ...]
    ribbons: tuple[Ribbon, ...]
    words: str


def graph_picture(view: GraphView) -> Picture:
    """Draw a month's flow; what comes to nothing or less stands in the table alone."""
    edges = [edge for edge in view.edges if edge.amount_cents > 0]
    order = _order(view, edges)
    sides = [
        _sums((edge.origin, edge.amount_cents) for edge in edges),
        _sums((edge.executor, edge.amount_cents) for edge in edges),
        _sums((edge.payer, edge.amount_cents) for edge in edges),
    ]
    reach = max(_HEIGHT_MIN, _ROOM * len(order))
    scale = _Scale(sum(edge.amount_cents for edge in edges), reach)
    tops = [_tops(side, order, scale) for side in sides]
    names = dict(view.teams)
    nodes = [
        _node(names[team], side[team], column, tops[column][team], scale)
        for column, side in enumerate(sides)
        for team in order
        if team in side
    ]
    ran = _sums(((edge.origin, edge.executor, edge.origin), edge.amount_cents) for edge in edges)
    paid = _sums(((edge.executor, edge.payer, edge.origin), edge.amount_cents) for edge in edges)
    ribbons = [
        *_ribbons(ran, (0, tops[0], tops[1]), order, scale, names),
        *_ribbons(paid, (1, tops[1], tops[2]), order, scale, names),
    ]
    return Picture(
        width=WIDTH,
        height=max((node.y + node.height for node in nodes), default=_TOP) + _GAP,
        heads=tuple(
            (_text_x(column), _ANCHORS[column], words) for column, words in enumerate(COLUMNS)
        ),
        nodes=tuple(nodes),
        ribbons=tuple(ribbons),
        words="; ".join(
            f"{names[edge.origin]} caused, {names[edge.executor]} ran, {names[edge.payer]} pays "
            f"{view.currency} {figures.money(edge.amount_cents)}"
            for edge in edges
        )
        or "nothing",
    )


def _node(name: str, cents: int, column: int, top: int, scale: _Scale) -> Node:
    return Node(
        label=name,
        amount=figures.money(cents),
        x=_XS[column],
        y=top,
        height=scale.pixels(cents),
        text_x=_text_x(column),
        anchor=_ANCHORS[column],
    )


def _text_x(column: int) -> int:
    return _XS[column] + column * _NODE_WIDTH // 2


@dataclass(frozen=True, slots=True)
class _Scale:
    total_cents: int
    reach: int

    def pixels(self, cents: int) -> int:
        """A height; something is never drawn as nothing."""
        return max(half_even(cents * self.reach, self.total_cents), 1)

    def place(self, cents: int) -> int:
        return half_even(cents * self.reach, self.total_cents)


def _order(view: GraphView, edges: Sequence[Edge]) -> list[str]:
    """Teams from the one that caused most; the unowned team last. The same in every column."""
    caused = _sums((edge.origin, edge.amount_cents) for edge in edges)
    drawn = {team for edge in edges for team in (edge.origin, edge.executor, edge.payer)}
    return sorted(drawn, key=lambda team: (team == view.unowned, -caused.get(team, 0), team))


def _tops(side: Mapping[str, int], order: Sequence[str], scale: _Scale) -> dict[str, int]:
    found, y = {}, _TOP
    for team in order:
        if team in side:
            found[team] = y
            y += scale.pixels(side[team]) + _GAP
    return found


def _ribbons(
    links: Mapping[Link, int],
    between: tuple[int, Mapping[str, int], Mapping[str, int]],
    order: Sequence[str],
    scale: _Scale,
    names: Mapping[str, str],
) -> list[Ribbon]:
    column, left_tops, right_tops = between
    rank = {team: at for at, team in enumerate(order)}
    leaves = _stacked(links, lambda link: (rank[link[0]], rank[link[1]], rank[link[2]]), 0)
    enters = _stacked(links, lambda link: (rank[link[1]], rank[link[0]], rank[link[2]]), 1)
    x0, x1 = _XS[column] + _NODE_WIDTH, _XS[column + 1]
    ribbons = []
    for link in sorted(links, key=lambda link: -links[link]):
        left, right, origin = link
        above, below = (left_tops[left] + scale.place(end) for end in leaves[link])
        over, under = (right_tops[right] + scale.place(end) for end in enters[link])
        ends = (x0, above, max(below, above + 1), x1, over, max(under, over + 1))
        words = f"{names[left]} to {names[right]}: {figures.money(links[link])}"
        if origin not in (left, right):
            words += f", caused by {names[origin]}"
        ribbons.append(Ribbon(_path(*ends), rank[origin] % STYLES + 1, words))
    return ribbons


def _path(x0: int, above: int, below: int, x1: int, over: int, under: int) -> str:
    middle = (x0 + x1) // 2
    return (
        f"M{x0} {above}C{middle} {above} {middle} {over} {x1} {over}"
        f"L{x1} {under}C{middle} {under} {middle} {below} {x0} {below}Z"
    )


def _sums(parts: Iterable[tuple[Key, int]]) -> dict[Key, int]:
    found: Counter[Key] = Counter()
    for key, cents in parts:
        found[key] += cents
    return dict(found)


def _stacked(
    links: Mapping[Link, int], place: Callable[[Link], tuple[int, int, int]], side: int
) -> dict[Link, tuple[int, int]]:
    """Where each link begins and ends along the node on one side, in cents, one after another."""
    ends: Counter[str] = Counter()
    found = {}
    for link in sorted(links, key=place):
        first = ends[link[side]]
        ends[link[side]] += links[link]
        found[link] = (first, ends[link[side]])
    return found
