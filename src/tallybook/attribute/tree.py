"""The tree of traces, node by node: the rules of `docs/call_graph.md` as they are written there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

_ROOT: Final = None


@dataclass(frozen=True, slots=True)
class Node:
    """One row of a trace. ``stands`` says that it is the row of its span under which others hang.

    ``believed``, ``hollow``, ``said`` and ``service`` are those of `tallybook.attribute.nodes`.
    """

    trace: int
    row_at: int
    span_id: str
    parent_span_id: str
    started_us: int
    stands: bool
    hollow: bool
    bills: bool
    said: int
    service: int
    believed: int = 0


def standing(rows: Iterable[Node]) -> list[Node]:
    """The rows that are nodes: every call, and of each span the row that is believed first.

    Rows that tell of a call that bills by another row count only where something hangs under them.
    """
    held = list(rows)
    above = {(row.trace, row.parent_span_id) for row in held}
    heard = [row for row in held if not row.hollow or (row.trace, row.span_id) in above]
    first: dict[tuple[int, str], Node] = {}
    for row in sorted(heard, key=_belief):
        first.setdefault((row.trace, row.span_id), row)
    found = [
        replace(row, stands=row.span_id != "" and first[row.trace, row.span_id] is row)
        for row in heard
    ]
    return [row for row in found if row.stands or row.bills]


def _belief(row: Node) -> tuple[object, ...]:
    return (
        row.hollow, not row.bills, row.believed, row.started_us, row.parent_span_id, row.service,
        row.said, row.row_at,
    )  # fmt: skip


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
