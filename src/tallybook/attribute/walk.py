"""The trees of a period's traces: read from the engine in columns, walked level by level.

A node is a row that names a trace: what it says is decided once per distinct combination, its
parent is found by name (`tallybook.attribute.kin`), and two whole numbers go from each parent to
its children (`tallybook.attribute.levels`). The few traces that loop are walked node by node
(`tallybook.attribute.tree`). Nothing of it depends on the order of events.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tallybook.attribute.behalf import Behalf
from tallybook.attribute.kin import Kin, kin_of
from tallybook.attribute.levels import Steps, go_down
from tallybook.attribute.model import Invocation
from tallybook.attribute.nodes import NOBODY, Answers, Digests, Nodes, Positions, distinct
from tallybook.attribute.path import ROOT, Paths
from tallybook.attribute.told import Rows, Told
from tallybook.attribute.tree import Node, parents_of, standing
from tallybook.rate.rating import Metering
from tallybook.store import sql_text
from tallybook.store.lake import Session
from tallybook.store.memory import release_unused

_END_BITS: Final = 36
"""Bits for the chain and the epoch of an end: its origin takes the other 28."""


@dataclass(slots=True)
class Walk:
    """A walked period. ``nodes`` were walked, of which ``one_by_one`` are in odd traces."""

    invocations: tuple[Invocation, ...]
    nodes: int
    one_by_one: int


def walk(session: Session, metering: Metering, paths: Paths, behalf: Behalf | None = None) -> Walk:
    """Walk the traces of a period; makes the table ``placed``: ``row_at`` of a call and its place.

    The place of a call is the number of the end of its path, as `Paths.end` gives it.

    Every call of the period has a place, also one that stands alone, or every call of the traces
    that were asked for.

    Args:
        session: an engine with the events, and what is told of their traces as ``beside``.
        metering: the period.
        paths: decides each step once.
        behalf: tells for whom each call was made, as the column ``behalf`` of ``placed``.
    """
    walked = _Walker(session, metering, paths, behalf).walk()
    release_unused()  # the engine needs as much for rating the month
    return walked


class _Walker:
    def __init__(
        self, session: Session, metering: Metering, paths: Paths, behalf: Behalf | None
    ) -> None:
        self._session, self._paths, self._behalf = session, paths, behalf
        self._told = Told(session, metering, paths)
        self._steps = Steps(paths)
        none = np.zeros(0, np.int64)
        self._placed: list[dict[str, NDArray[Any]]] = [dict.fromkeys(self._columns, none)]
        self._used: dict[tuple[int, int, int, int], int] = defaultdict(int)
        # Not a method: in a circle with the walker it would keep all columns while a run computes.
        self._ends = Answers(partial(_end, paths))
        self._nodes = self._one_by_one = 0

    def walk(self) -> Walk:
        for alone, parts in self._told.read():
            for rows in alone:
                self._place_alone(rows)
            while parts:
                if rows_of_part := parts.pop():
                    self._part(self._told.nodes(rows_of_part))
        made = {
            name: np.concatenate([part[name] for part in self._placed]) for name in self._columns
        }
        self._session.put("placed", made)
        return Walk(self._invocations(), self._nodes, self._one_by_one)

    @property
    def _columns(self) -> tuple[str, ...]:
        return ("row_at", "place", "behalf") if self._behalf else ("row_at", "place")

    def _place_alone(self, rows: Rows) -> None:
        """Place calls that name no trace: each is its own tree."""
        said, service = self._told.said(rows)
        above = np.full(len(said), ROOT, np.int64)
        origins, chains = self._steps.origins(above, said), self._steps.chains(above, service)
        epochs = self._told.epochs(rows)
        places = self._places(origins, chains, epochs)
        placed = {"row_at": rows["row_at"], "place": places}
        if self._behalf:
            placed["behalf"] = self._behalf.of_lone(rows["row_at"], epochs)
        self._placed.append(placed)

    def _part(self, rows: Nodes) -> None:
        """Walk some whole traces."""
        kin = kin_of(rows)
        nodes = kin.nodes
        self._nodes += len(nodes)
        origins, chains = go_down(kin.up, nodes.said, nodes.service, self._steps)
        up, above = kin.up, chains[kin.up]
        odd = np.union1d(kin.odd, nodes.trace[origins[:-1] == -1])
        if len(odd):
            nodes, up, *columns = self._without(odd, kin, origins, above, chains)
            origins, above, chains = columns
        self._place(nodes, origins, above, chains, up)

    def _without(
        self, odd: Digests, kin: Kin, *columns: Positions
    ) -> tuple[Nodes, NDArray[np.int32], Positions, Positions, Positions]:
        """Put odd traces apart and walk them one by one.

        Returns:
            all nodes with their parents, origins, chains above and chains.
        """
        apart = np.isin(kin.nodes.trace, odd)
        found = self._walked(kin.nodes, np.flatnonzero(apart))
        kept = np.flatnonzero(~apart)
        walked = np.array([at for at, *_ in found], np.int64)
        parents, *numbers = np.array([row for _, *row in found], np.int64).reshape(-1, 4).T
        origins, above, chains = (
            np.concatenate((held[kept], made)) for held, made in zip(columns, numbers, strict=True)
        )
        now_at = np.full(len(kin.nodes) + 1, NOBODY, np.int32)
        order = np.concatenate((kept, walked))
        now_at[order] = np.arange(len(order))
        up = now_at[np.concatenate((kin.up[kept], parents))]
        return kin.nodes.at(order), up, origins, above, chains

    def _walked(self, nodes: Nodes, which: Positions) -> list[tuple[int, int, int, int, int]]:
        """(position, that of its parent, origin, chain above, chain) of nodes of odd traces."""
        self._session.put("odd", {"row_at": nodes.row_at[which]})
        named = {row[0]: row[1:] for row in self._session.rows(sql_text(__package__, "odd_names"))}
        at_row = dict(zip(nodes.row_at[which].tolist(), which.tolist(), strict=True))
        columns = (
            nodes.trace, nodes.row_at, nodes.started_us, nodes.hollow, nodes.bills, nodes.said,
            nodes.service, nodes.believed,
        )  # fmt: skip
        rows = []
        for row in zip(*(column[which].tolist() for column in columns), strict=True):
            trace, row_at, started_us, hollow, bills, said, service, believed = row
            span_id, parent_span_id = named[row_at]
            rows.append(
                Node(
                    trace, row_at, span_id, parent_span_id, started_us, False, hollow, bills,
                    said, service, believed,
                )
            )  # fmt: skip
        stand: dict[int | None, tuple[int, int]] = {None: (ROOT, ROOT)}
        found = []
        for node, up in parents_of(standing(rows)):
            origin, above = stand[up]
            below = self._steps.origin(origin, node.said), self._steps.chain(above, node.service)
            stand[node.row_at] = below
            parent = NOBODY if up is None else at_row[up]
            found.append((at_row[node.row_at], parent, below[0], above, below[1]))
        self._one_by_one += len(found)
        return found

    def _place(
        self, nodes: Nodes, origins: Positions, above: Positions, chains: Positions,
        up: NDArray[np.int32],
    ) -> None:  # fmt: skip
        count = len(nodes)
        calls = np.flatnonzero(nodes.bills)
        epochs = np.maximum(nodes.mark[calls], 0) // 2
        places = self._places(origins[calls], chains[calls], epochs)
        placed: dict[str, NDArray[Any]] = {"row_at": nodes.row_at[calls], "place": places}
        if self._behalf:
            placed["behalf"] = self._behalf.of_nodes(nodes, up, origins[:count])[calls]
        self._placed.append(placed)
        counted = self._paths.counted_services()
        if not self._paths.counts or not counted:
            return
        invoked = np.zeros(max(counted) + 1, bool)
        invoked[counted] = True
        known = np.minimum(nodes.service, len(invoked) - 1)
        asks = np.flatnonzero((nodes.mark >= 0) & invoked[known] & (known == nodes.service))
        self._count(origins[asks], above[asks], nodes.service[asks], nodes.mark[asks])

    def _places(
        self, origins: Positions, chains: Positions, epochs: NDArray[Any]
    ) -> NDArray[np.int32]:
        """The places of calls, by the origin and chain of each and its epoch."""
        ends = (origins << _END_BITS) + chains * self._paths.charts + epochs
        return self._ends.to(ends.astype(np.uint64))

    def _count(
        self, origins: Positions, above: Positions,
        services: NDArray[np.int32], marks: NDArray[np.int32],
    ) -> None:  # fmt: skip
        """Count nodes by what they invoke."""
        pairs, at = distinct(
            origins * self._paths.chains + above, self._paths.origins * self._paths.chains
        )
        wide, marked = self._paths.services, 2 * self._paths.charts
        keys, which = distinct(
            (at * np.int64(wide) + services) * marked + marks, len(pairs) * wide * marked
        )
        calls = np.bincount(which, minlength=len(keys))
        rest, mark = np.divmod(keys, marked)
        pair, service = np.divmod(rest, wide)
        origin, chain = np.divmod(pairs[pair], self._paths.chains)
        columns = (origin, chain, service, mark, calls)
        for *what, count in zip(*(column.tolist() for column in columns), strict=True):
            self._used[tuple(what)] += count

    def _invocations(self) -> tuple[Invocation, ...]:
        counts: dict[tuple[int, int, int, int], list[int]] = defaultdict(lambda: [0, 0])
        for (origin, above, service, mark), calls in sorted(self._used.items()):
            epoch, fails = divmod(mark, 2)
            since = self._paths.invoked_since(origin, above, service, epoch)
            held = counts[origin, above, service, since]
            held[0] += calls
            held[1] += 0 if fails else calls
        sums: dict[Invocation, list[int]] = defaultdict(lambda: [0, 0])
        for what, (calls, outcomes) in counts.items():
            one = self._paths.invocation(*what)
            if one is not None:
                held = sums[one]
                held[0] += calls
                held[1] += outcomes
        return tuple(
            replace(one, calls=calls, outcomes=outcomes) for one, (calls, outcomes) in sums.items()
        )


def _end(paths: Paths, end: int) -> int:
    origin, rest = divmod(end, 1 << _END_BITS)
    return paths.end(origin, *divmod(rest, paths.charts))
