"""One trace as a tree: read from the sealed events, placed by the code that places calls in a run.

The walk itself is that of `tallybook.attribute`, in columns; here its nodes are put in the order in
which people read a tree, costs are rolled up from the leaves, and nodes that are asked for get
their names. Nothing recurses. An open month is seen as its next run would see it, a closed one as
its last run did.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tallybook.attribute.behalf import for_whom, teller_of, who_told
from tallybook.attribute.kin import kin_of
from tallybook.attribute.levels import Steps, go_down
from tallybook.attribute.lines import paths_of
from tallybook.attribute.nodes import NOBODY, Nodes, Positions
from tallybook.attribute.path import Paths
from tallybook.attribute.told import Told
from tallybook.attribute.tree import Node, parents_of, standing
from tallybook.clock import Period
from tallybook.errors import PeriodError
from tallybook.meter.resolve.merge import TOLD_FOR
from tallybook.post.basis import latest_books
from tallybook.post.breakdown import standing_basis
from tallybook.post.compute import graph_session, metering_of, price_rows
from tallybook.post.run import seal_inbox
from tallybook.rate.rating import (
    PRICE_JOIN,
    TOUCHED,
    epoch_sql,
    event_amount_sql,
    field_sql,
    netting_sql,
    open_prices,
    unpriced_sql,
)
from tallybook.report.graph.trace_model import Trace, TraceNode
from tallybook.store import Store, sql_text
from tallybook.store.lake import Session, Snapshot

_WHO_TOLD: Final = tuple(dict.fromkeys(field for by in TOLD_FOR for field in who_told(by)))
_HIGH: Final = 1 << 62
"""What the higher part of an amount counts in `trace_costs.sql`."""
_NAMED_AT_ONCE: Final = 50_000
_Said = tuple[tuple[str, ...], tuple[str, ...]]
"""For whom a row says that it works, and the fields that decide whether it is believed."""
_ForWhom = tuple[tuple[str, ...], ...]
"""Customer, cohort and plan, each by chart."""


def traces_of(store: Store, trace_id: str) -> list[Trace]:
    """A trace as each month sees it that has calls of it, the first month first.

    Raises:
        PeriodError: no sealed event names the trace.
        BooksError: no policy files were applied.
    """
    seal_inbox(store)
    periods = _periods(store, trace_id) if trace_id else []
    if not periods:
        raise PeriodError(
            f"no call names the trace {trace_id!r}",
            next_step="look a line up by its id, as statements and the journal print it, or a"
            " trace by the id that its spans carry",
        )
    return [_Month(store, trace_id, period).trace() for period in periods]


def _periods(store: Store, trace_id: str) -> list[Period]:
    with store.read() as tx:
        calendar = latest_books(tx)[0].calendar
    with store.lake.session(store.lake.snapshot()) as session:
        found = session.rows(
            "SELECT DISTINCT started_us FROM events WHERE trace_id = $trace_id",
            {"trace_id": trace_id},
        )
    return sorted({calendar.period_of(started_us) for (started_us,) in found})


@dataclass(frozen=True, slots=True)
class _Tree:
    """The nodes of a trace in the order of the tree, with what the walk says of each, by number.

    ``up`` is the place of each one's parent, -1 for a root.
    """

    nodes: Nodes
    up: NDArray[np.int32]
    origins: Positions
    chains: Positions


@dataclass(frozen=True, slots=True)
class _Costs:
    """What rows say beside their place in the tree, by node; ``said`` by number, 0 for nothing."""

    epochs: NDArray[np.int64]
    said: NDArray[np.int64]
    unpriced: NDArray[np.bool_]
    own_pico: list[int]


class _Month:
    """A trace as one month sees it."""

    def __init__(self, store: Store, trace_id: str, period: Period) -> None:
        basis = standing_basis(store, period)
        if basis.beside is None:  # every call stands alone, and is walked as such
            basis = replace(basis, beside=Snapshot(basis.snapshot.version, ()))
        self._store, self._trace_id, self._basis = store, trace_id, basis
        self._metering = replace(metering_of(basis), only_touched=True)
        self._paths = paths_of(self._metering, basis.books.org)
        self._decision = cache(self._paths.decision)
        self._currency = basis.books.org.company.currency

    def trace(self) -> Trace:
        """Its tree and what it cost; the rest is read when it is asked for."""
        with self._opened() as session:
            tree = self._tree(session)
            if tree is None:
                return Trace(
                    self._trace_id,
                    str(self._basis.period),
                    self._currency,
                    0,
                    (),
                    (),
                    (),
                    {},
                    lambda _places: iter(()),
                )
            costs = self._costs(session, tree.nodes)
            whom, texts = self._for_whom(session, tree, costs)
        above = tree.up.tolist()
        rolled_pico = _rolled_up(above, costs.own_pico)

        def read(places: Sequence[int]) -> Iterator[TraceNode]:
            for place, *named in self._named(tree.nodes, places):
                yield self._node(place, named, tree, costs, rolled_pico[place], texts[whom[place]])

        return Trace(
            trace_id=self._trace_id,
            period=str(self._basis.period),
            currency=self._currency,
            calls=int(tree.nodes.bills.sum()),
            above=above,
            own_pico=costs.own_pico,
            rolled_pico=rolled_pico,
            for_whom=_counted(tree.nodes.bills, costs.epochs, whom, texts),
            read=read,
        )

    @contextmanager
    def _opened(self) -> Iterator[Session]:
        """The engine with the view ``trace_told``."""
        parts = {
            "epoch": epoch_sql(self._metering),
            "stated": ", ".join(field_sql(field) for field in TOLD_FOR),
            "told": ", ".join(field_sql(field) for field in _WHO_TOLD if self._paths.doubts),
            "touched": TOUCHED,
        }
        with graph_session(self._store, self._basis) as session:
            session.table("touched", {"trace_id": "text"}, [(self._trace_id,)])
            session.run(sql_text(__package__, "trace_told").format(**parts))
            yield session

    def _tree(self, session: Session) -> _Tree | None:
        """None where all that was told of the trace was taken back."""
        told, steps = Told(session, self._metering, self._paths), Steps(self._paths)
        rows = [part for _, parts in told.read() for held in parts for part in held]
        if not rows:
            return None
        kin = kin_of(told.nodes(rows))
        nodes, up = kin.nodes, kin.up
        if not len(nodes):
            return None
        origins, chains = go_down(up, nodes.said, nodes.service, steps)
        if len(kin.odd) or (origins[:-1] == NOBODY).any():
            nodes, up = _one_by_one(session, nodes)
            origins, chains = go_down(up, nodes.said, nodes.service, steps)
        order = _reading_order(session, nodes, up)
        place = np.full(len(order) + 1, NOBODY, np.int32)
        place[order] = np.arange(len(order), dtype=np.int32)
        return _Tree(nodes.at(order), place[up[order]], origins[order], chains[order])

    def _costs(self, session: Session, nodes: Nodes) -> _Costs:
        session.run(sql_text(__package__, "trace_said"))
        meters = open_prices(session, self._metering, rows := price_rows(self._basis))
        statement = sql_text(__package__, "trace_costs").format(
            touched=TOUCHED,
            unpriced=unpriced_sql(meters, rows),
            card=event_amount_sql("card", meters),
            price_join=PRICE_JOIN,
            corrections=netting_sql(self._metering),
        )
        told = _columns(session, statement)
        at = _found(told["row_at"], nodes.row_at)
        high, low = told["card_high"][at], told["card_low"][at]
        low[~nodes.bills] = high[~nodes.bills] = 0
        own_pico = low.tolist()
        for node in np.flatnonzero(high).tolist():
            own_pico[node] += int(high[node]) * _HIGH
        unpriced = told["unpriced"][at].astype(bool) & nodes.bills
        return _Costs(told["epoch"][at], told["said"][at], unpriced, own_pico)

    def _for_whom(
        self, session: Session, tree: _Tree, costs: _Costs
    ) -> tuple[list[int], Sequence[_ForWhom]]:
        """For whom each node works, as the number of a text: what stands above decides first."""
        said: list[_Said] = [
            (tuple(stated), tuple(told))
            for stated, told in session.rows("SELECT stated, told FROM trace_said ORDER BY number")
        ]
        steps = _WhomSteps(self._paths, said)
        whom = [0] * len(tree.up)
        if said:
            columns = (tree.up, tree.origins, costs.said)
            origins = [*tree.origins.tolist(), 0]
            for at, (up, origin, states) in enumerate(
                zip(*(c.tolist() for c in columns), strict=True)
            ):
                above = whom[up] if up >= 0 else 0
                whom[at] = steps.below(above, states, origins[up], origin) if states else above
        return whom, steps.texts

    def _named(self, nodes: Nodes, places: Sequence[int]) -> Iterator[tuple[Any, ...]]:
        """Some nodes with what they are called, in the order of their places."""
        at = np.array(places, np.int64)
        with self._opened() as session:
            session.put("asked", {"place": at, "row_at": nodes.row_at[at]})
            session.run(sql_text(__package__, "trace_named"))
            for first in range(0, len(at), _NAMED_AT_ONCE):
                part = at[first : first + _NAMED_AT_ONCE]
                between = {"low": int(part.min()), "high": int(part.max())}
                yield from session.rows(
                    "SELECT * FROM trace_named WHERE place BETWEEN $low AND $high ORDER BY place",
                    between,
                )

    def _node(
        self, place: int, named: Sequence[Any], tree: _Tree, costs: _Costs, rolled_pico: int,
        whom: _ForWhom,
    ) -> TraceNode:  # fmt: skip
        source, event_id, role, operation, service, model, status, state, tokens, *times = named
        started_us, ended_us = times
        bills, epoch, up = bool(tree.nodes.bills[place]), int(costs.epochs[place]), tree.up[place]
        elsewhere = not bills and role == "elsewhere"
        return TraceNode(
            above=int(up) if up >= 0 else None,
            role="call" if bills else "elsewhere" if elsewhere else "step",
            name=operation,
            service=service,
            model=model if bills or elsewhere else "",
            source=source,
            event_id=event_id,
            started_us=started_us,
            ended_us=ended_us,
            status=status,
            state=state,
            tokens=tokens if bills else 0,
            unpriced=bool(costs.unpriced[place]),
            own_pico=costs.own_pico[place],
            rolled_pico=rolled_pico,
            decision=self._decision(int(tree.origins[place]), int(tree.chains[place]), epoch),
            for_whom=tuple(by_chart[epoch] for by_chart in whom),
        )


class _WhomSteps:
    """For whom a node works, by number, each distinct step decided once; 0 is for nobody."""

    def __init__(self, paths: Paths, said: Sequence[_Said]) -> None:
        self._paths, self._said = paths, said
        self._is_named = cache(paths.is_named)
        self._believed = cache(self._believed_of)
        self.texts: list[_ForWhom] = [(("",) * paths.charts,) * len(TOLD_FOR)]
        self._number = {self.texts[0]: 0}
        self.below = cache(self._below)

    def _below(self, above: int, states: int, outer: int, own: int) -> int:
        """The number of a node that states something, under one with a number.

        Args:
            above: the number of what stands above.
            states: what the node says, from one on.
            outer: the origin of what stands above.
            own: that of the node.
        """
        stated, told = self._said[states - 1]
        named_above, named = self._is_named(outer), self._is_named(own)
        found = []
        for said, may, held in zip(stated, self._believed(told), self.texts[above], strict=True):
            charts = zip(held, may, named_above, named, strict=True)
            found.append(
                tuple(
                    for_whom(before, said if believed else "", begins=now and not then)
                    for before, believed, then, now in charts
                )
            )
        text = tuple(found)
        number = self._number.setdefault(text, len(self.texts))
        if number == len(self.texts):
            self.texts.append(text)
        return number

    def _believed_of(self, told: tuple[str, ...]) -> tuple[tuple[bool, ...], ...]:
        """Of customer, cohort and plan, by chart, whether a row is believed about it."""
        if not told:  # nobody's word may be refused
            return ((True,) * self._paths.charts,) * len(TOLD_FOR)
        fields = dict(zip(_WHO_TOLD, told, strict=True))
        return tuple(self._paths.believes(fields, teller_of(fields, by)) for by in TOLD_FOR)


def _columns(session: Session, statement: str) -> Mapping[str, NDArray[Any]]:
    """The rows of a query as whole columns."""
    parts = list(session.columns(statement))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _found(names: Positions, wanted: Positions) -> Positions:
    """Where each wanted one stands among distinct names that hold them all."""
    order = np.argsort(names)
    found: Positions = order[np.searchsorted(names, wanted, sorter=order)]
    return found


def _one_by_one(session: Session, nodes: Nodes) -> tuple[Nodes, NDArray[np.int32]]:
    """The nodes of a trace that loops, or in which text decides, with their parents."""
    spans = {
        row_at: names
        for row_at, *names in session.rows("SELECT row_at, span_id, parent_span_id FROM told")
    }
    columns = (
        nodes.row_at, nodes.started_us, nodes.hollow, nodes.bills, nodes.said, nodes.service,
        nodes.believed,
    )  # fmt: skip
    rows = []
    for row in zip(*(column.tolist() for column in columns), strict=True):
        row_at, started_us, hollow, bills, said, service, believed = row
        span_id, parent_span_id = spans[row_at]
        rows.append(
            Node(
                0, row_at, span_id, parent_span_id, started_us, False, hollow, bills, said, service,
                believed,
            )
        )  # fmt: skip
    pairs = list(parents_of(standing(rows)))
    at = {node.row_at: place for place, (node, _) in enumerate(pairs)}
    up = [NOBODY if above is None else at[above] for _, above in pairs]
    return nodes.at(_found(nodes.row_at, np.array(list(at), np.int64))), np.array(up, np.int32)


def _reading_order(session: Session, nodes: Nodes, up: NDArray[np.int32]) -> Positions:
    """The nodes in the order of the tree: each before those beneath it, children by their start."""
    told = _columns(session, "SELECT row_at FROM told ORDER BY started_us, span_id, row_at")
    by_row = np.argsort(nodes.row_at)
    at = np.minimum(np.searchsorted(nodes.row_at, told["row_at"], sorter=by_row), len(nodes) - 1)
    ranked = by_row[at[nodes.row_at[by_row[at]] == told["row_at"]]]
    above = up[ranked] + 1
    starts = [0, *np.cumsum(np.bincount(above, minlength=len(nodes) + 1)).tolist()]
    children = ranked[np.argsort(above, kind="stable")].tolist()
    order, waiting = [], children[: starts[1]][::-1]
    while waiting:
        node = waiting.pop()
        order.append(node)
        first, last = starts[node + 1], starts[node + 2]
        if first < last:
            waiting += children[first:last][::-1]
    return np.array(order, np.int64)


def _rolled_up(above: Sequence[int], own_pico: Sequence[int]) -> list[int]:
    """What each node cost with all beneath; parents stand before their children."""
    sums = list(own_pico)
    for at in range(len(sums) - 1, -1, -1):
        up = above[at]
        if up >= 0:
            sums[up] += sums[at]
    return sums


def _counted(
    bills: NDArray[np.bool_], epochs: Positions, whom: Sequence[int], texts: Sequence[_ForWhom]
) -> Mapping[tuple[str, ...], int]:
    """How many calls were made for whom, those of the first node first."""
    found: dict[tuple[str, ...], int] = {}
    if len(texts) == 1:
        return found
    charts = len(texts[0][0])
    pairs, first, counts = np.unique(
        (np.array(whom, np.int64) * charts + epochs)[bills], return_index=True, return_counts=True
    )
    for at in np.argsort(first).tolist():
        number, epoch = divmod(int(pairs[at]), charts)
        text = tuple(by_chart[epoch] for by_chart in texts[number])
        if any(text):
            found[text] = found.get(text, 0) + int(counts[at])
    return found
