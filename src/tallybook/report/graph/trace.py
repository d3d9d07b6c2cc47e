"""One trace as a tree: read from the sealed events, placed by the code that places calls in a run.

The walk itself is that of `tallybook.attribute`; here each node keeps its name, and costs are
rolled up from the leaves. An open month is seen as its next run would see it, a closed one as its
last run did.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from tallybook.attribute.behalf import for_whom, teller_of, who_told
from tallybook.attribute.path import ROOT, Decision, Paths
from tallybook.attribute.tree import Node, parents_of, standing
from tallybook.clock import Period
from tallybook.errors import PeriodError
from tallybook.meter.resolve.merge import TOLD_FOR
from tallybook.post.basis import Basis, latest_books
from tallybook.post.breakdown import standing_basis
from tallybook.post.compute import graph_session, metering_of, placed_in, price_rows
from tallybook.post.run import seal_inbox
from tallybook.rate.rating import (
    PRICE_JOIN,
    TOUCHED,
    Metering,
    epoch_sql,
    event_amount_sql,
    field_sql,
    netting_sql,
    open_prices,
    unpriced_sql,
)
from tallybook.report.graph.trace_model import Trace, TraceNode
from tallybook.store import Store, sql_text
from tallybook.store.lake import Session

_WHO_TOLD: Final = tuple(dict.fromkeys(field for by in TOLD_FOR for field in who_told(by)))
_ForWhom = tuple[tuple[str, ...], ...]
"""Customer, cohort and plan, each by chart."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What the rows of a trace say of one node."""

    source: str
    event_id: str
    role: str
    operation: str
    service: str
    provider: str
    model: str
    status: str
    state: str
    tokens: int
    started_us: int
    ended_us: int | None
    epoch: int
    carried: Mapping[str, str]
    stated: Sequence[str]
    told: Mapping[str, str]
    bills: bool
    unpriced: bool
    card_pico: int


def traces_of(store: Store, trace_id: str) -> list[Trace]:
    """A trace as each month sees it that has calls of it, the first month first.

    Raises:
        PeriodError: no sealed event names the trace.
        BooksError: no policy files were applied.
    """
    seal_inbox(store)
    periods = _periods(store, trace_id)
    if not periods:
        raise PeriodError(
            f"no call names the trace {trace_id!r}",
            next_step="look a line up by its id, as statements and the journal print it, or a"
            " trace by the id that its spans carry",
        )
    return [_trace(store, standing_basis(store, period), trace_id) for period in periods]


def _periods(store: Store, trace_id: str) -> list[Period]:
    with store.read() as tx:
        calendar = latest_books(tx)[0].calendar
    with store.lake.session(store.lake.snapshot()) as session:
        found = session.rows(
            "SELECT DISTINCT started_us FROM events WHERE trace_id = $trace_id",
            {"trace_id": trace_id},
        )
    return sorted({calendar.period_of(started_us) for (started_us,) in found})


def _trace(store: Store, basis: Basis, trace_id: str) -> Trace:
    asked = replace(metering_of(basis), only_touched=True)
    with graph_session(store, basis) as session:
        session.table("touched", {"trace_id": "text"}, [(trace_id,)])
        _, paths, walked = placed_in(session, basis, asked)
        known = _known(session, basis, asked)
        nodes = _nodes(session, known, paths) if walked else _alone(known)
    return Trace(
        trace_id,
        str(basis.period),
        basis.books.org.company.currency,
        tuple(_drawn(nodes, known, paths)),
    )


def _known(session: Session, basis: Basis, metering: Metering) -> dict[int, _Known]:
    meters = open_prices(session, metering, rows := price_rows(basis))
    parts = {
        "epoch": epoch_sql(metering),
        "carried": ", ".join(field_sql(field) for field in metering.carried),
        "stated": ", ".join(field_sql(field) for field in TOLD_FOR),
        "told": ", ".join(field_sql(field) for field in _WHO_TOLD),
        "touched": TOUCHED,
    }
    beside = sql_text(__package__, "trace_beside").format(**parts) if basis.beside else ""
    statement = sql_text(__package__, "trace_rows").format(
        **parts,
        beside=beside,
        unpriced=unpriced_sql(meters, rows),
        card=event_amount_sql("card", meters),
        price_join=PRICE_JOIN,
        corrections=netting_sql(metering),
    )
    return {int(row[0]): _known_row(row, metering) for row in session.rows(statement)}


def _known_row(row: Sequence[Any], metering: Metering) -> _Known:
    values = dict(zip((field.name for field in fields(_Known)), row[1:], strict=True))
    values["carried"] = dict(zip(metering.carried, map(str, values["carried"]), strict=True))
    values["told"] = dict(zip(_WHO_TOLD, map(str, values["told"]), strict=True))
    return _Known(**values)


def _nodes(session: Session, known: Mapping[int, _Known], paths: Paths) -> list[Node]:
    """The nodes of the trace, of a span told more than once the row that the walk believes."""
    told = session.rows(
        "SELECT row_at, span_id, parent_span_id, started_us, believed, bills, hollow FROM told"
    )
    rows = []
    for row_at, span_id, parent_span_id, started_us, believed, bills, hollow in told:
        said, service = paths.node(known[row_at].carried)
        rows.append(
            Node(
                0, row_at, span_id, parent_span_id, started_us, False, hollow, bills, said,
                service, believed,
            )
        )  # fmt: skip
    return standing(rows)


def _alone(known: Mapping[int, _Known]) -> list[Node]:
    """The calls of a trace that nothing joins, each a root of its own."""
    return [
        Node(at, row_at, "", "", one.started_us, True, False, True, ROOT, ROOT)
        for at, (row_at, one) in enumerate(sorted(known.items()))
        if one.bills
    ]


def _drawn(nodes: Sequence[Node], known: Mapping[int, _Known], paths: Paths) -> list[TraceNode]:
    """Every node after its parent, children by their start, with what lies beneath rolled up."""
    parents = {node.row_at: up for node, up in parents_of(nodes)}
    children: dict[int | None, list[Node]] = {}
    for node in sorted(nodes, key=lambda node: (node.started_us, node.span_id, node.row_at)):
        children.setdefault(parents[node.row_at], []).append(node)
    drawn: list[TraceNode] = []
    nobody = (("",) * paths.charts,) * len(TOLD_FOR)
    waiting: list[tuple[Node, int | None, int, int, _ForWhom]] = [
        (node, None, ROOT, ROOT, nobody) for node in reversed(children.get(None, []))
    ]
    while waiting:
        node, above, outer, chain, whom = waiting.pop()
        one = known[node.row_at]
        said, service = paths.node(one.carried)
        origin, chain = paths.origin(outer, said), paths.chain(chain, service)
        whom = _for_whom(whom, one, paths, (outer, origin))
        depth = drawn[above].depth + 1 if above is not None else 0
        decision = paths.decision(origin, chain, one.epoch)
        waiting += [
            (child, len(drawn), origin, chain, whom)
            for child in reversed(children.get(node.row_at, []))
        ]
        drawn.append(_node(node, one, above, depth, decision, whom))
    return _rolled_up(drawn)


def _for_whom(above: _ForWhom, one: _Known, paths: Paths, origins: tuple[int, int]) -> _ForWhom:
    """For whom a node works, given for whom what stands above it does, and the origins of both."""
    if not any(one.stated):
        return above
    outer, own = (paths.is_named(origin) for origin in origins)
    found = []
    for by, said, held in zip(TOLD_FOR, one.stated, above, strict=True):
        believed = paths.believes(one.told, teller_of(one.told, by))
        charts = zip(held, believed, outer, own, strict=True)
        found.append(
            tuple(
                for_whom(before, said if may else "", begins=now and not then)
                for before, may, then, now in charts
            )
        )
    return tuple(found)


def _node(
    node: Node, one: _Known, above: int | None, depth: int, decision: Decision, whom: _ForWhom
) -> TraceNode:
    cost_pico = one.card_pico if node.bills else 0
    return TraceNode(
        above=above,
        depth=depth,
        role="call" if node.bills else "elsewhere" if one.role == "elsewhere" else "step",
        name=one.operation,
        service=one.service,
        model=one.model if node.bills or one.role == "elsewhere" else "",
        source=one.source,
        event_id=one.event_id,
        started_us=one.started_us,
        ended_us=one.ended_us,
        status=one.status,
        state=one.state,
        tokens=one.tokens if node.bills else 0,
        unpriced=one.unpriced and node.bills,
        own_pico=cost_pico,
        rolled_pico=cost_pico,
        decision=decision,
        for_whom=tuple(by_chart[one.epoch] for by_chart in whom),
    )


def _rolled_up(drawn: Sequence[TraceNode]) -> list[TraceNode]:
    """Parents stand before their children, so one pass from the end is enough."""
    sums = [node.own_pico for node in drawn]
    for at in range(len(drawn) - 1, -1, -1):
        above = drawn[at].above
        if above is not None:
            sums[above] += sums[at]
    return [replace(node, rolled_pico=total) for node, total in zip(drawn, sums, strict=True)]
