"""The flow between teams as plain text, for a terminal, a ticket, a mail."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from tallybook.report import figures
from tallybook.report.graph.model import GraphView
from tallybook.report.graph.view import OWN, cuts
from tallybook.report.sides import rule_words

_GAP = "  "
_WIDTH = 100


def graph_text(view: GraphView) -> str:
    """Every edge, the three cuts side by side, and what is owed; ends in a newline."""
    lines = [f"{view.company.upper()}: who caused it, who ran it, who pays"]
    lines += [f"{view.period_label}, usage at rate card, {view.currency}"]
    if view.simulated:
        lines += ["*** SIMULATED DATA: no company, no provider, no money ***"]
    lines += ["", *_edges(view), "", *_cuts(view)]
    if view.owed:
        lines += ["", "Owed from team to team at transfer prices, beside the total:", *_owed(view)]
    remarks = states_remark(view)
    lines += ["", *textwrap.wrap(remarks, _WIDTH)] if remarks else []
    return "\n".join(line.rstrip() for line in lines) + "\n"


def states_remark(view: GraphView) -> str:
    """What the total does not know, in words; '' when it knows everything."""
    told = (
        (view.states.unallocated, "without an owner, borne by the unowned team"),
        (view.states.unpriced, "without a price, in no amount here"),
        (view.states.unknown, "of unknown usage, in no amount here as far as unknown"),
    )
    parts = [f"{figures.count(calls)} {words}" for calls, words in told if calls]
    return f"Calls {'; '.join(parts)}." if parts else ""


def because(rule: str, service: str) -> str:
    """Why the payer pays, as people read it; '' for what a team started and ran itself."""
    if rule == OWN:
        return ""
    return f"{service}: {rule_words(rule)}" if service else rule_words(rule)


def _edges(view: GraphView) -> list[str]:
    names = dict(view.teams)
    rows = [
        [
            names[edge.origin],
            names[edge.executor],
            names[edge.payer],
            because(edge.rule, edge.service),
            figures.count(edge.calls),
            figures.tokens(edge.tokens),
            figures.money(edge.amount_cents),
        ]
        for edge in view.edges
    ]
    head = ["caused by", "run by", "paid by", "because", "calls", "tokens", "amount"]
    total = ["total", "", "", "", "", "", figures.money(view.total_cents)]
    return _table(head, rows, total, right=3)


def _cuts(view: GraphView) -> list[str]:
    by = cuts(view)
    rows = [
        [name, *(figures.money(cut.get(team, 0)) for cut in by.values())]
        for team, name in view.teams
    ]
    total = ["total", *(figures.money(sum(cut.values())) for cut in by.values())]
    return _table(["team", "caused", "ran", "pays"], rows, total, right=3)


def _owed(view: GraphView) -> list[str]:
    names = dict(view.teams)
    return [
        f"  {names[one.payer]} owes {names[one.callee]} for {one.service}: "
        f"{one.count:,} {one.per}{'' if one.count == 1 else 's'} x {one.price} = "
        f"{figures.money(one.amount_cents)}"
        for one in view.owed
    ]


def _table(
    head: Sequence[str], rows: Sequence[Sequence[str]], total: Sequence[str], right: int
) -> list[str]:
    """Aligned columns, the last ``right`` of them to the right."""
    every = [head, *rows, total]
    widths = [max(len(row[at]) for row in every) for at in range(len(head))]
    first = len(head) - right

    def line(row: Sequence[str]) -> str:
        return _GAP.join(
            cell.rjust(width) if at >= first else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )

    rule = "-" * (sum(widths) + len(_GAP) * (len(widths) - 1))
    return [line(head), rule, *map(line, rows), rule, line(total)]
