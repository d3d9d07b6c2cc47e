"""For whom calls were made: the customer, cohort or plan that the origin of each states.

Each value is a number here, read from the engine for the rows that state one and carried down the
trees of `tallybook.attribute.walk` in columns. A month may have a million customers: they are
numbered for a report when it is asked for, and are no group of a run.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tallybook.attribute.nodes import NOBODY, Marks, Nodes, Positions
from tallybook.attribute.owner import WHO_TOLD
from tallybook.attribute.path import Paths
from tallybook.meter.resolve.merge import MERGED, TAGS_FROM, TOLD_FOR, teller_label
from tallybook.rate.rating import field_sql
from tallybook.store import sql_text
from tallybook.store.lake import ColumnType, Session

NO_ONE: Final = 0
"""The number of what nobody stated."""
_COLUMNS: Final = ("row_at", "said", "teller")

Numbers = NDArray[np.int32]


def for_whom(above: str, said: str, *, begins: bool) -> str:
    """For whom a node works: for whom what stands above it does, if that is stated.

    Args:
        above: for whom what stands above it works; '' if nobody stated it.
        said: for whom the node itself says that it works, if it is believed.
        begins: whether the node is the origin, the outermost that is named.
    """
    return said if said and (begins or not above) else above


def who_told(by: str) -> tuple[str, ...]:
    """The event fields that decide whether a row is believed about its customer, cohort or plan."""
    return (*WHO_TOLD, f"labels.{teller_label(by)}")


def teller_of(told: Mapping[str, str], by: str) -> str:
    """The source that told for whom a call is; of a merged row the one that it was taken from.

    Args:
        told: the fields of `who_told`.
        by: ``customer``, ``cohort`` or ``plan``.
    """
    if told["source"] != MERGED:
        return told["source"]
    return told[f"labels.{teller_label(by)}"] or told[f"labels.{TAGS_FROM}"]


class Behalf:
    """For whom the calls of a period were made; makes the table ``behalf``: ``number``, ``said``.

    Args:
        session: an engine with the events, and what is told of their traces as ``beside``.
        paths: decides whom a node names, and who is believed.
        by: ``customer``, ``cohort`` or ``plan``.
    """

    def __init__(self, session: Session, paths: Paths, by: str) -> None:
        assert by in TOLD_FOR, f"calls do not say for which {by} they are"
        self._session, self._paths, self._by = session, paths, by
        self._named = np.zeros((0, paths.charts), bool)
        fields = who_told(by) if paths.doubts else ()
        told = [f"{field_sql(field)} AS t{i}" for i, field in enumerate(fields)]
        session.run(sql_text(__package__, "stated").format(by=by, told=", ".join(["", *told])))
        session.run(sql_text(__package__, "behalf"))
        self._believed = self._tellers(fields)
        self._row_at, self._said, self._teller = self._rows(fields)

    def of_nodes(self, nodes: Nodes, up: NDArray[np.int32], origins: Positions) -> Numbers:
        """For whom each call was made, by number; of what does not bill nothing is told.

        Args:
            nodes: some whole traces that do not loop.
            up: the position of each one's parent, -1 for roots.
            origins: the number of each one's origin.
        """
        said, teller = self._stated(nodes.row_at)
        found = np.full(len(nodes), NO_ONE, np.int32)
        if not said.any():
            return found
        epochs = nodes.mark // 2
        for epoch in np.unique(epochs[nodes.bills]).tolist():
            states = (said != NO_ONE) & self._believed[teller, epoch]
            named = self._is_named(epoch)[origins]
            begins = named & ~(named[up] & (up >= 0))
            own, first = outermost(up, states & begins), outermost(up, states)
            at = np.where(own >= 0, own, first)
            mine = nodes.bills & (epochs == epoch) & (at >= 0)
            found[mine] = said[at[mine]]
        return found

    def of_lone(self, row_at: Positions, epoch: NDArray[Any]) -> Numbers:
        """For whom calls were made that stand alone, as they say, each under its own chart."""
        said, teller = self._stated(row_at)
        return np.where(self._believed[teller, epoch], said, np.int32(NO_ONE))

    def _tellers(self, fields: tuple[str, ...]) -> Marks:
        """By teller and chart whether it is believed; the first is nobody, who states nothing."""
        believed = [(True,) * self._paths.charts]
        if fields:
            names = ", ".join(f"t{i}" for i in range(len(fields)))
            rows = self._session.rows(sql_text(__package__, "tellers").format(told=names))
            for row in rows:
                told = dict(zip(fields, map(str, row), strict=True))
                believed.append(self._paths.believes(told, teller_of(told, self._by)))
            types: dict[str, ColumnType] = {f"t{i}": "text" for i in range(len(fields))}
            numbered = [(*row, number) for number, row in enumerate(rows, start=1)]
            self._session.table("tellers", {**types, "teller": "whole"}, numbered)
        return np.array(believed, bool)

    def _rows(self, fields: tuple[str, ...]) -> tuple[Positions, Numbers, Numbers]:
        """What rows state and who told it, by number, in the order of their ``row_at``."""
        same = " AND ".join(f"s.t{i} = t.t{i}" for i in range(len(fields)))
        statement = sql_text(__package__, "stated_rows").format(
            teller="CAST(t.teller AS INT)" if fields else "0",
            tellers=f"JOIN tellers t ON {same}" if fields else "",
        )
        parts = list(self._session.columns(statement))
        row_at, said, teller = (
            np.concatenate([np.zeros(0, np.int64), *(part[name] for part in parts)])
            for name in _COLUMNS
        )
        order = np.argsort(row_at)
        return row_at[order], said[order].astype(np.int32), teller[order].astype(np.int32)

    def _stated(self, row_at: Positions) -> tuple[Numbers, Numbers]:
        """What each row states, and who told it."""
        said = np.full(len(row_at), NO_ONE, np.int32)
        teller = np.zeros(len(row_at), np.int32)
        if len(self._row_at):
            at = np.minimum(np.searchsorted(self._row_at, row_at), len(self._row_at) - 1)
            mine = self._row_at[at] == row_at
            said[mine], teller[mine] = self._said[at[mine]], self._teller[at[mine]]
        return said, teller

    def _is_named(self, epoch: int) -> Marks:
        """Of each origin, by number, whether somebody is named under a chart."""
        known = len(self._named)
        more = [self._paths.is_named(number) for number in range(known, self._paths.origins)]
        if more:
            self._named = np.concatenate((self._named, np.array(more, bool)))
        marks: Marks = self._named[:, epoch]
        return marks


def outermost(up: NDArray[np.int32], which: Marks) -> Positions:
    """Of each node the outermost on its path from the root that is marked; -1 where none is.

    Each round looks twice as far up, so a chain of a million nodes takes twenty.

    Args:
        up: the position of each node's parent, -1 for roots; without loops.
        which: the nodes that are marked.
    """
    found = np.where(which, np.arange(len(up)), NOBODY)
    above = up.astype(np.int64)
    asks = np.flatnonzero(above >= 0)
    while len(asks):
        at = above[asks]
        farther, beyond = found[at], above[at]
        found[asks] = np.where(farther >= 0, farther, found[asks])
        above[asks] = beyond
        asks = asks[beyond >= 0]
    return found
