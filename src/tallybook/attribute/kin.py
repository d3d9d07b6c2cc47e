"""The parents of nodes, found in columns: the rules of `docs/call_graph.md` for whole months.

What `tallybook.attribute.tree` says node by node, for all traces that do not loop and in which no
two rows of one span are equal but for the text of their parents; those traces are told as odd.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tallybook.attribute.nodes import NOBODY, Digests, Marks, Names, Nodes, Positions


@dataclass(frozen=True, slots=True)
class Kin:
    """Nodes with the position of each one's parent, -1 for roots; ``odd`` traces are undecided."""

    nodes: Nodes
    up: NDArray[np.int32]
    odd: Digests


def kin_of(rows: Nodes) -> Kin:
    """Find the parents of the nodes of some whole traces.

    Args:
        rows: what is told of them. Rows of one span become one node; calls stay calls.
    """
    spans = Names((rows.trace, rows.span), np.flatnonzero(rows.has_span))
    counts = rows.has_span & (_heard(rows, spans) | ~rows.hollow)
    stands, best, odd = _standing(rows, spans, np.flatnonzero(counts))
    kept = rows.bills | stands
    if len(odd):
        kept |= counts & np.isin(rows.trace, odd)
    up = np.full(len(rows), NOBODY, np.int32)
    below = np.flatnonzero(rows.names_parent & kept)
    found = spans.find((rows.trace[below], rows.parent[below]))
    up[below] = np.where(found >= 0, best[found], NOBODY)
    _hang(rows, kept, stands, up)
    if kept.all():
        return Kin(rows, up, odd)
    number = np.cumsum(kept, dtype=np.int32) - 1
    up = np.where(up >= 0, number[up], NOBODY)[kept]
    return Kin(rows.at(kept), up, odd)


def _heard(rows: Nodes, spans: Names) -> Marks:
    """Which spans some row names as its parent."""
    heard = np.zeros(len(rows), bool)
    if rows.hollow.any():
        below = rows.has_parent
        found = spans.find((rows.trace[below], rows.parent[below]))
        heard[found[found >= 0]] = True
        heard &= spans.holder == np.arange(len(rows))
        heard = heard[spans.holder] & rows.has_span
    return heard


def _standing(
    rows: Nodes, spans: Names, counts: Positions
) -> tuple[Marks, NDArray[np.int32], Digests]:
    """The row of each span under which others hang.

    Returns:
        which rows stand; of each row that a name finds the one that stands for it, -1 if none
        does; and the traces in which the text of parents must decide.
    """
    stands = np.zeros(len(rows), bool)
    best = np.full(len(rows), NOBODY, np.int32)
    holder = spans.holder[counts]
    told = np.bincount(holder, minlength=len(rows))
    once = told[holder] == 1
    stands[counts[once]] = True
    best[holder[once]] = counts[once]
    twice = counts[~once]
    if not len(twice):
        return stands, best, rows.trace[:0]
    told_as = (spans.holder, rows.hollow, ~rows.bills, rows.believed, rows.started_us)
    keys = [key[twice] for key in told_as]
    equals = [key[twice] for key in (rows.service, rows.said, rows.row_at)]
    order = np.lexsort([*reversed(equals), *reversed(keys)])
    twice, keys = twice[order], [key[order] for key in keys]
    first = np.ones(len(twice), bool)
    first[1:] = keys[0][1:] != keys[0][:-1]
    stands[twice[first]] = True
    best[keys[0][first]] = twice[first]
    leads = np.flatnonzero(first)[np.cumsum(first) - 1]
    alike = rows.parent[twice] != rows.parent[twice[leads]]
    for key in keys:
        alike &= key == key[leads]
    return stands, best, np.unique(rows.trace[twice[alike]])


def _hang(rows: Nodes, kept: Marks, stands: Marks, up: NDArray[np.int32]) -> None:
    """Hang orphans, and calls that name neither span nor parent, under the root if there is one."""
    names = rows.names_parent
    orphans = np.flatnonzero(kept & names & (up < 0))
    adrift = np.flatnonzero(kept & ~names & ~rows.has_span)
    if not len(orphans) + len(adrift):
        return
    traces = np.unique(rows.trace[np.concatenate((orphans, adrift))])
    roots = np.flatnonzero(stands & ~names)
    root, count = _only(traces, rows.trace[roots], roots)
    for loose in (orphans, adrift):
        at = np.searchsorted(traces, rows.trace[loose])
        up[loose] = np.where(count[at] == 1, root[at], NOBODY)
    orphan, lost = _only(traces, rows.trace[orphans], orphans)
    at = np.searchsorted(traces, rows.trace[adrift])
    alone = (count[at] == 0) & (lost[at] == 1)
    up[adrift[alone]] = orphan[at[alone]]


def _only(traces: Digests, of: Digests, nodes: Positions) -> tuple[Positions, Positions]:
    """Of each of some traces a node that it has, and how many it has."""
    at = np.searchsorted(traces, of)
    at[at == len(traces)] = 0
    mine = traces[at] == of
    node = np.full(len(traces), NOBODY, np.int64)
    node[at[mine]] = nodes[mine]
    return node, np.bincount(at[mine], minlength=len(traces))
