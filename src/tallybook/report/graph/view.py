"""A month's flow between teams: who caused it, who ran it, who pays, one total in three cuts.

Amounts are usage at rate card, brought to cents once, edge by edge; every cut is a sum of the same
edges, so all three come to the same total (INV-11). Transfer prices are owed beside it and are no
part of it: they move a charge from team to team and cost nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from tallybook.allocate.model import CostCell
from tallybook.attribute.model import AttributedLine, Transferred, TransferUse
from tallybook.attribute.transfer import PER_OUTCOME
from tallybook.books.model import Org
from tallybook.clock import Period
from tallybook.money import NANO_SCALE, cents_of_lines, cents_of_nano, format_cents, format_units
from tallybook.post.sheet import cost_cells
from tallybook.report.graph.model import Edge, GraphView, Owed, States

Key = tuple[str, str, str, str, str]
"""origin, executor, payer, service, rule"""
OWN = "own"
"""The rule of an edge whose payer started and ran it."""
_UNSAID = {"usage": OWN, "transfer": "caller_pays"}
"""The rule of a line that names none: older sheets knew only one."""


def graph_view(transferred: Transferred, org: Org, period: Period) -> GraphView:
    """The flow of a month.

    Args:
        transferred: the month as it is charged.
        org: names of teams, currency, and whether the company is made up.
        period: the month.
    """
    edges = _edges(cost_cells(transferred.lines), str(period))
    names = {team.id: team.name for team in org.teams}
    owed = _owed(transferred.uses)
    known = {team for edge in edges for team in (edge.origin, edge.executor, edge.payer)}
    known |= {team for one in owed for team in (one.payer, one.callee)}
    return GraphView(
        company=org.company.name,
        currency=org.company.currency,
        period=str(period),
        period_label=period.label(),
        teams=tuple((team, names.get(team, team)) for team in sorted(known)),
        unowned=org.unowned_team,
        edges=edges,
        owed=owed,
        states=_states(transferred.lines),
        simulated=org.company.simulated,
    )


def graph_json(view: GraphView) -> dict[str, Any]:
    """The machine form; amounts are text with two decimals.

    Returns:
        ``period``, ``currency``, ``total``, ``edges`` (``origin``, ``executor``, ``payer``,
        ``service``, ``rule``, ``calls``, ``tokens``, ``amount``), ``cuts`` by ``origin``,
        ``executor`` and ``payer`` (each team to its amount), ``transfer_prices`` and the calls in
        each of ``states``.
    """
    return {
        "period": view.period,
        "currency": view.currency,
        "total": format_cents(view.total_cents),
        "edges": [
            {
                "origin": edge.origin,
                "executor": edge.executor,
                "payer": edge.payer,
                "service": edge.service,
                "rule": edge.rule,
                "calls": edge.calls,
                "tokens": edge.tokens,
                "amount": format_cents(edge.amount_cents),
            }
            for edge in view.edges
        ],
        "cuts": {
            name: {team: format_cents(cents) for team, cents in sorted(cut.items())}
            for name, cut in cuts(view).items()
        },
        "transfer_prices": [
            {
                "payer": one.payer,
                "callee": one.callee,
                "service": one.service,
                "per": one.per,
                "count": one.count,
                "price": one.price,
                "amount": format_cents(one.amount_cents),
            }
            for one in view.owed
        ],
        "states": {
            "unallocated": view.states.unallocated,
            "unpriced": view.states.unpriced,
            "unknown": view.states.unknown,
        },
    }


def cuts(view: GraphView) -> dict[str, dict[str, int]]:
    """The total by who caused it, by who ran it and by who pays, in cents."""
    by: dict[str, Callable[[Edge], str]] = {
        "origin": lambda edge: edge.origin,
        "executor": lambda edge: edge.executor,
        "payer": lambda edge: edge.payer,
    }
    found = {}
    for name, team_of in by.items():
        sums: Counter[str] = Counter()
        for edge in view.edges:
            sums[team_of(edge)] += edge.amount_cents
        found[name] = dict(sums)
    return found


def _edges(cells: Iterable[CostCell], period: str) -> tuple[Edge, ...]:
    calls: Counter[Key] = Counter()
    tokens: Counter[Key] = Counter()
    nanos: dict[Key, int] = defaultdict(int)
    for cell in cells:
        key = (
            cell.origin or cell.team,
            cell.executor,
            cell.team,
            cell.service,
            cell.transfer or _UNSAID[cell.kind],
        )
        calls[key] += int(cell.calls)
        tokens[key] += int(cell.tokens)
        nanos[key] += cell.card_nano
    keys = sorted(nanos)
    cents = cents_of_lines(
        [nanos[key] for key in keys], ["\x1f".join(key) for key in keys], salt=f"graph:{period}"
    )
    edges = [
        Edge(*key, calls=calls[key], tokens=tokens[key], amount_cents=amount)
        for key, amount in zip(keys, cents, strict=True)
    ]
    return tuple(sorted(edges, key=lambda edge: (-edge.amount_cents, edge)))


def _owed(uses: Iterable[TransferUse]) -> tuple[Owed, ...]:
    counts: Counter[tuple[str, str, str, str, int]] = Counter()
    nanos: Counter[tuple[str, str, str, str, int]] = Counter()
    for use in uses:
        key = (use.team, use.executor, use.service, use.per, use.price_nano)
        counts[key] += use.outcomes if use.per == PER_OUTCOME else use.calls
        nanos[key] += use.amount_nano
    return tuple(
        Owed(
            *key[:4],
            count=counts[key],
            price=_price(key[4]),
            amount_cents=cents_of_nano(nanos[key]),
        )
        for key in sorted(nanos)
    )


def _price(nano: int) -> str:
    """A price with two decimals, or with as many as it has."""
    whole, _, decimals = format_units(nano, NANO_SCALE).partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"


def _states(lines: Iterable[AttributedLine]) -> States:
    unallocated = unpriced = unknown = 0
    for line in lines:
        unallocated += line.calls if line.owner.is_fallback else 0
        unpriced += line.calls if line.unpriced else 0
        unknown += line.calls if line.state in ("unknown", "partial") else 0
    return States(unallocated, unpriced, unknown)
