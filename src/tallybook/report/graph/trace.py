"""One trace as a tree: read from the sealed events, placed by the code that places calls in a run.

The walk itself is that of `tallybook.attribute`; here each node keeps its name, and costs are
rolled up from the leaves. An open month is seen as its next run would see it, a closed one as its
last run did.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Final, NamedTuple

from tallybook.attribute.behalf import for_whom, teller_of, who_told
from tallybook.attribute.levels import Steps
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
_LISTS: Final = (13, 14, 15)
"""Where ``carried``, ``stated`` and ``told`` stand among the fields of `_Known`."""
_ForWhom = tuple[tuple[str, ...], ...]
"""Customer, cohort and plan, each by chart."""
_Believed = tuple[tuple[bool, ...], ...]


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
    carried: tuple[str, ...]
    stated: tuple[str, ...]
    told: tuple[str, ...]
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
        known = _known(session, basis, asked, paths)
        decided = _Decided(asked, paths)
        nodes = _nodes(session, known, decided) if walked else _alone(known, decided)
    return Trace(
        trace_id,
        str(basis.period),
        basis.books.org.company.currency,
        tuple(_drawn(nodes, known, decided)),
    )


class _Decided:
    """What nodes say and what the ends of their paths mean, each distinct one decided once."""

    def __init__(self, metering: Metering, paths: Paths) -> None:
        names = metering.carried
        self.steps, self.charts = Steps(paths), paths.charts
        self.node = cache(lambda carried: paths.node(dict(zip(names, carried, strict=True))))
        self.decision = cache(paths.decision)
        self.is_named = cache(paths.is_named)
        self.believes = cache(partial(_believed, paths))


def _believed(paths: Paths, told: tuple[str, ...]) -> _Believed:
    """Of customer, cohort and plan, by chart, whether a row is believed about it."""
    if not told:  # nobody's word may be refused
        return ((True,) * paths.charts,) * len(TOLD_FOR)
    fields = dict(zip(_WHO_TOLD, told, strict=True))
    return tuple(paths.believes(fields, teller_of(fields, by)) for by in TOLD_FOR)


def _known(session: Session, basis: Basis, metering: Metering, paths: Paths) -> dict[int, _Known]:
    meters = open_prices(session, metering, rows := price_rows(basis))
    parts = {
        "epoch": epoch_sql(metering),
        "carried": ", ".join(field_sql(field) for field in metering.carried),
        "stated": ", ".join(field_sql(field) for field in TOLD_FOR),
        "told": ", ".join(field_sql(field) for field in _WHO_TOLD if paths.doubts),
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
    shared: dict[tuple[str, ...], tuple[str, ...]] = {}
    found = {}
    for row_at, *row in session.rows(statement):
        for at in _LISTS:  # a trace of a million nodes says few different things
            row[at] = shared.setdefault(tuple(row[at]), tuple(row[at]))
        found[int(row_at)] = _Known(*row)
    return found


def _nodes(session: Session, known: Mapping[int, _Known], decided: _Decided) -> list[Node]:
    """The nodes of the trace, of a span told more than once the row that the walk believes."""
    told = session.rows(
        "SELECT row_at, span_id, parent_span_id, started_us, believed, bills, hollow FROM told"
    )
    rows = []
    for row_at, span_id, parent_span_id, started_us, believed, bills, hollow in told:
        said, service = decided.node(known[row_at].carried)
        rows.append(
            Node(
                0, row_at, span_id, parent_span_id, started_us, False, hollow, bills, said,
                service, believed,
            )
        )  # fmt: skip
    return standing(rows)


def _alone(known: Mapping[int, _Known], decided: _Decided) -> list[Node]:
    """The calls of a trace that nothing joins, each a root of its own."""
    return [
        Node(at, row_at, "", "", one.started_us, True, False, True, *decided.node(one.carried))
        for at, (row_at, one) in enumerate(sorted(known.items()))
        if one.bills
    ]


def _drawn(
    nodes: Sequence[Node], known: Mapping[int, _Known], decided: _Decided
) -> Iterator[TraceNode]:
    """Every node after its parent, children by their start, with what lies beneath rolled up."""
    parents = {node.row_at: up for node, up in parents_of(nodes)}
    children: dict[int | None, list[Node]] = {}
    for node in sorted(nodes, key=lambda node: (node.started_us, node.span_id, node.row_at)):
        children.setdefault(parents[node.row_at], []).append(node)
    nobody = (("",) * decided.charts,) * len(TOLD_FOR)
    waiting: list[tuple[Node, int | None, int, int, _ForWhom]] = [
        (node, None, ROOT, ROOT, nobody) for node in reversed(children.get(None, []))
    ]
    placed: list[_Placed] = []
    while waiting:
        node, above, outer, chain, whom = waiting.pop()
        one = known[node.row_at]
        origin = decided.steps.origin(outer, node.said)
        chain = decided.steps.chain(chain, node.service)
        whom = _for_whom(whom, one, decided, (outer, origin))
        waiting += [
            (child, len(placed), origin, chain, whom)
            for child in reversed(children.get(node.row_at, []))
        ]
        depth = placed[above].depth + 1 if above is not None else 0
        decision = decided.decision(origin, chain, one.epoch)
        placed.append(_Placed(node, above, depth, decision, whom))
    rolled_pico = _rolled_up(placed, known)
    for place, pico in zip(placed, rolled_pico, strict=True):
        yield _drawn_node(place, known[place.node.row_at], pico)


class _Placed(NamedTuple):
    """A node with its place in the tree."""

    node: Node
    above: int | None
    depth: int
    decision: Decision
    whom: _ForWhom


def _for_whom(
    above: _ForWhom, one: _Known, decided: _Decided, origins: tuple[int, int]
) -> _ForWhom:
    """For whom a node works, given for whom what stands above it does, and the origins of both."""
    if not any(one.stated):
        return above
    outer, own = (decided.is_named(origin) for origin in origins)
    found = []
    for said, may, held in zip(one.stated, decided.believes(one.told), above, strict=True):
        charts = zip(held, may, outer, own, strict=True)
        found.append(
            tuple(
                for_whom(before, said if believed else "", begins=now and not then)
                for before, believed, then, now in charts
            )
        )
    return above if above == tuple(found) else tuple(found)


def _rolled_up(placed: Sequence[_Placed], known: Mapping[int, _Known]) -> list[int]:
    """What each node cost with all beneath; parents stand before their children."""
    sums = [_own_pico(place.node, known[place.node.row_at]) for place in placed]
    for at in range(len(placed) - 1, -1, -1):
        above = placed[at].above
        if above is not None:
            sums[above] += sums[at]
    return sums


def _own_pico(node: Node, one: _Known) -> int:
    return one.card_pico if node.bills else 0


def _drawn_node(place: _Placed, one: _Known, rolled_pico: int) -> TraceNode:
    node = place.node
    return TraceNode(
        above=place.above,
        depth=place.depth,
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
        own_pico=_own_pico(node, one),
        rolled_pico=rolled_pico,
        decision=place.decision,
        for_whom=tuple(by_chart[one.epoch] for by_chart in place.whom),
    )
