"""A trace as text and as the machine form: the tree, own and rolled-up cost, payer and rule."""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from tallybook.attribute.model import Payer
from tallybook.attribute.path import Decision
from tallybook.meter.resolve.merge import TOLD_FOR
from tallybook.money import format_units
from tallybook.report.graph.text import because
from tallybook.report.graph.trace_model import Trace, TraceNode
from tallybook.report.graph.view import OWN

PICO_SCALE = 12
_NAME_WIDTH = 46
_WHOM_SHOWN = 3
_INDENT, _DEPTH = 2, 8
"""Blanks of one step of the machine form, and those before a node."""
_NODES = '"nodes": ['
_NO_NODES = f"{_NODES}]"
_AT_ONCE = 1_000


def trace_text(trace: Trace, most: int) -> str:
    """The tree of a trace, ending in a newline.

    Args:
        trace: as a month sees it.
        most: how many nodes to draw: the dearest, and what stands above them.
    """
    calls = sum(node.bills for node in trace.nodes)
    total = f"{calls:,} calls, {trace.currency} {_amount(trace.total_pico)} at rate card"
    lines = [
        f"Trace {trace.trace_id}, {trace.period}: {total}",
        *_for_whom(trace.nodes),
        "",
        _row("", "own", "with all below", "caused by", "run by", "paid by"),
    ]
    shown = _shown(trace.nodes, most)
    last = _last_children(trace.nodes, shown)
    for at, node in enumerate(trace.nodes):
        if at in shown:
            lines.append(_line(trace.nodes, at, node, last))
    left = len(trace.nodes) - len(shown)
    if left:
        lines += ["", f"{left:,} cheaper nodes are not drawn; --json has them all."]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def trace_json(trace_id: str, traces: Sequence[Trace]) -> Iterator[str]:
    """The machine form of a trace in all its months, in pieces: it may have a million nodes.

    Together they are one value: ``trace`` and ``months``, each with ``trace``, ``period``,
    ``currency``, ``total`` and ``nodes`` in the order of the tree, each with ``above``, the place
    of its parent in the list or null. Amounts are text, exact.
    """
    months = [
        {
            "trace": trace.trace_id,
            "period": trace.period,
            "currency": trace.currency,
            "total": _exact(trace.total_pico),
            "nodes": [],
        }
        for trace in traces
    ]
    first, *after = _spelled({"trace": trace_id, "months": months}).split(_NO_NODES)
    yield first
    for trace, rest in zip(traces, after, strict=True):
        yield _NODES
        for at in range(0, len(trace.nodes), _AT_ONCE):
            told = (_spelled(_value(node)) for node in trace.nodes[at : at + _AT_ONCE])
            indented = (textwrap.indent(one, " " * _DEPTH) for one in told)
            yield ("," if at else "") + "\n" + ",\n".join(indented)
        yield "\n" + " " * (_DEPTH - _INDENT) + "]" + rest


def _spelled(value: object) -> str:
    return json.dumps(value, indent=_INDENT, ensure_ascii=False)


def _value(node: TraceNode) -> dict[str, Any]:
    owner = node.decision.owner
    joint = node.decision.joint
    return {
        "above": node.above,
        "role": node.role,
        "operation": node.name,
        "service": node.service,
        "model": node.model,
        "event": f"{node.source}/{node.event_id}",
        "started_us": node.started_us,
        "ended_us": node.ended_us,
        "status": node.status,
        "usage": node.state,
        "tokens": node.tokens,
        "unpriced": node.unpriced,
        "own": _exact(node.own_pico),
        "rolled_up": _exact(node.rolled_pico),
        "origin": owner.started_by[0],
        "origin_feature": owner.started_by[1],
        "executor": owner.executor,
        "decided_by": owner.rule,
        **dict(zip(TOLD_FOR, node.for_whom, strict=True)),
        "payers": [
            {
                "team": payer.team,
                "feature": payer.feature,
                "service": payer.service,
                "rule": payer.transfer or OWN,
                "weight": payer.weight,
            }
            for payer in payers_of(node.decision)
        ],
        "joint": {"users_of": joint.users_of, "by": joint.by} if joint else None,
    }


def payers_of(decision: Decision) -> tuple[Payer, ...]:
    """Who bears what stands at a node, by weight; nobody yet where all users of a service share."""
    o = decision.owner
    if decision.joint:
        return ()
    return decision.payers or (Payer(o.team, o.feature, o.service, o.transfer, 1),)


def _for_whom(nodes: Sequence[TraceNode]) -> list[str]:
    """For whom the calls were made, those of most first; nothing where nobody stated it."""
    calls = Counter(node.for_whom for node in nodes if node.bills and any(node.for_whom))
    told = [
        f"{count:,} for "
        + ", ".join(f"{by} {said}" for by, said in zip(TOLD_FOR, whom, strict=True) if said)
        for whom, count in calls.most_common(_WHOM_SHOWN)
    ]
    told += [f"{len(calls) - _WHOM_SHOWN:,} more in --json"] * (len(calls) > _WHOM_SHOWN)
    return [f"Calls: {'; '.join(told)}"] if told else []


def _line(nodes: Sequence[TraceNode], at: int, node: TraceNode, last: set[int]) -> str:
    owner = node.decision.owner
    name = " ".join(part for part in (node.name, node.service, node.model) if part)
    own = "unpriced" if node.unpriced else _amount(node.own_pico) if node.bills else ""
    if node.role == "elsewhere":
        own = "other month"
    return _row(
        _branches(nodes, at, last) + name,
        own,
        _amount(node.rolled_pico),
        " ".join(part for part in owner.started_by if part),
        owner.executor,
        _paid_by(node.decision),
    )


def _row(name: str, own: str, rolled: str, caused: str, ran: str, paid: str) -> str:
    if len(name) > _NAME_WIDTH:
        name = name[: _NAME_WIDTH - 1] + "\N{HORIZONTAL ELLIPSIS}"
    return f"{name:<{_NAME_WIDTH}} {own:>12} {rolled:>14}  {caused:<22} {ran:<14} {paid}"


def _branches(nodes: Sequence[TraceNode], at: int, last: set[int]) -> str:
    drawn: list[str] = []
    above = nodes[at].above
    if above is not None:
        drawn.append("\u2514\u2500 " if at in last else "\u251c\u2500 ")
    while above is not None and nodes[above].above is not None:
        drawn.append("   " if above in last else "\u2502  ")
        above = nodes[above].above
    return "".join(reversed(drawn))


def _paid_by(decision: Decision) -> str:
    if decision.joint:
        return f"users of {decision.joint.users_of}, by {decision.joint.by}"
    payers = payers_of(decision)
    shares = [f"{one.team} {one.weight}" if len(payers) > 1 else one.team for one in payers]
    rules = dict.fromkeys(because(one.transfer, one.service) for one in payers if one.transfer)
    return " : ".join(shares) + (f" ({'; '.join(rules)})" if rules else "")


def _shown(nodes: Sequence[TraceNode], most: int) -> set[int]:
    """The dearest nodes with all that stand above them; every node if they are few."""
    if len(nodes) <= most:
        return set(range(len(nodes)))
    ranked = sorted(range(len(nodes)), key=lambda at: (-nodes[at].rolled_pico, at))
    shown: set[int] = set()
    for first in ranked:
        path, at = [], first
        while at not in shown:
            path.append(at)
            above = nodes[at].above
            if above is None:
                break
            at = above
        if len(shown) + len(path) > most:
            break
        shown |= set(path)
    return shown


def _last_children(nodes: Sequence[TraceNode], shown: set[int]) -> set[int]:
    last: dict[int | None, int] = {}
    for at in sorted(shown):
        last[nodes[at].above] = at
    return set(last.values())


def _amount(pico: int) -> str:
    """An exact amount with two decimals, or with as many as it has."""
    text = format_units(pico, PICO_SCALE)
    whole, _, decimals = text.partition(".")
    kept = decimals.rstrip("0")
    return f"{whole}.{kept.ljust(2, '0')}"


def _exact(pico: int) -> str:
    return format_units(pico, PICO_SCALE)
