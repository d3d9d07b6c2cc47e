"""The tree of traces, node by node: the rules of `docs/call_graph.md` as they are written there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

_ROOT: Final = None


@dataclass(frozen=True, slots=True)
class Node:
    """One row of a trace. ``stands`` says that it is the row of its span under which others hang.

    ``hollow``, ``mark``, ``said`` and ``service`` are what `tallybook.attribute.walk` makes of it.
    """

    trace: int
    row_at: int
    span_id: str
    parent_span_id: str
    started_us: int
    stands: bool
    hollow: bool
    bills: bool
    mark: int
    said: int
    service: int


def parents_of(nodes: Iterable[Node]) -> Iterator[tuple[Node, int | None]]:
    """Each node of some traces with its parent's ``row_at``, None for a root; parents first."""
    traces: dict[int, list[Node]] = defaultdict(list)
    for node in nodes:
        traces[node.trace].append(node)
    for trace in sorted(traces):
        yield from _from_the_roots(traces[trace], _parents(traces[trace]))


def _parents(nodes: Sequence[Node]) -> dict[int, int | None]:
    """The parent of each node of one trace."""
    spans = {node.span_id: node for node in nodes if node.stands}
    parents: dict[int, int | None] = {}
    roots: set[int] = set()
    orphans: list[int] = []
    adrift: list[int] = []
    for node in nodes:
        parents[node.row_at] = _ROOT
        if node.parent_span_id and node.parent_span_id != node.span_id:
            above = spans.get(node.parent_span_id)
            if above is None:
                orphans.append(node.row_at)
            else:
                parents[node.row_at] = above.row_at
        elif not node.span_id:
            adrift.append(node.row_at)
        elif node.stands:
            roots.add(node.row_at)
    for first in _firsts_of_cycles(nodes, parents):
        parents[first] = _ROOT
        roots.add(first)
    if len(roots) == 1:
        (root,) = roots
        parents |= dict.fromkeys((*orphans, *adrift), root)
    elif not roots and len(orphans) == 1:
        parents |= dict.fromkeys(adrift, orphans[0])
    return parents


def _firsts_of_cycles(nodes: Sequence[Node], parents: dict[int, int | None]) -> list[int]:
    """Of each cycle the node that started first, of equals the one with the smallest span."""
    by_row = {node.row_at: node for node in nodes}
    seen: dict[int, int] = {}
    firsts = []
    for number, node in enumerate(nodes):
        at: int | None = node.row_at
        while at is not None and at not in seen:
            seen[at] = number
            at = parents[at]
        if at is None or seen[at] != number:
            continue
        cycle, turn = [at], parents[at]
        while turn is not None and turn != at:
            cycle.append(turn)
            turn = parents[turn]
        firsts.append(min(cycle, key=lambda row: (by_row[row].started_us, by_row[row].span_id)))
    return firsts


def _from_the_roots(
    nodes: Sequence[Node], parents: dict[int, int | None]
) -> Iterator[tuple[Node, int | None]]:
    below: dict[int | None, list[Node]] = defaultdict(list)
    for node in nodes:
        below[parents[node.row_at]].append(node)
    waiting = list(below[_ROOT])
    while waiting:
        node = waiting.pop()
        yield node, parents[node.row_at]
        waiting += below.get(node.row_at, [])
