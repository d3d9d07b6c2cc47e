"""A trace as text and as the machine form: the tree, own and rolled-up cost, payer and rule."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import msgspec

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
_DEPTH_DRAWN = 8
"""A node that lies deeper says how deep instead of being drawn so: names must fit beside."""
_INDENT, _DEPTH = 2, 8
"""Blanks of one step of the machine form, and those before a node."""
_NODES = '"nodes": ['
_NO_NODES = f"{_NODES}]"
_END = "\n" + " " * (_DEPTH - _INDENT) + "]"
_AT_ONCE = 1_000


def trace_text(trace: Trace, most: int) -> str:
    """The tree of a trace, ending in a newline.

    Args:
        trace: as a month sees it.
        most: how many nodes to draw: the dearest, and what stands above them.
    """
    total = f"{trace.calls:,} calls, {trace.currency} {_amount(trace.total_pico)} at rate card"
    lines = [
        f"Trace {trace.trace_id}, {trace.period}: {total}",
        *_for_whom(trace.for_whom),
        "",
        _row("", "own", "with all below", "caused by", "run by", "paid by"),
    ]
    shown = sorted(_shown(trace, most))
    last, depths = _last_children(trace.above, shown), _depths(trace.above, shown)
    for at, node in zip(shown, trace.read(shown), strict=True):
        lines.append(_line(_branches(trace.above, at, last, depths[at]), node))
    left = len(trace) - len(shown)
    if left:
        rest = _amount(trace.total_pico - sum(trace.own_pico[at] for at in shown))
        told = f"{left:,} cheaper nodes are not drawn, of {trace.currency} {rest} by themselves"
        lines += ["", f"{told}; --json has them all."]
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
        nodes, before = trace.nodes, _NODES
        while some := list(islice(nodes, _AT_ONCE)):
            yield before + _indented([_value(node) for node in some])
            before = ","
        yield (_NO_NODES if before == _NODES else _END) + rest


def _indented(values: Sequence[object]) -> str:
    """Values as they stand in a list at `_DEPTH`, without its brackets; as `_spelled`, but fast."""
    told = msgspec.json.format(msgspec.json.encode(values), indent=_INDENT).decode()
    return told[1:-2].replace("\n", "\n" + " " * (_DEPTH - _INDENT))


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


def _for_whom(calls: Mapping[tuple[str, ...], int]) -> list[str]:
    """For whom the calls were made, those of most first; nothing where nobody stated it."""
    most = sorted(calls.items(), key=lambda item: -item[1])
    told = [
        f"{count:,} for "
        + ", ".join(f"{by} {said}" for by, said in zip(TOLD_FOR, whom, strict=True) if said)
        for whom, count in most[:_WHOM_SHOWN]
    ]
    told += [f"{len(calls) - _WHOM_SHOWN:,} more in --json"] * (len(calls) > _WHOM_SHOWN)
    return [f"Calls: {'; '.join(told)}"] if told else []


def _line(branches: str, node: TraceNode) -> str:
    owner = node.decision.owner
    name = " ".join(part for part in (node.name, node.service, node.model) if part)
    own = "unpriced" if node.unpriced else _amount(node.own_pico) if node.bills else ""
    if node.role == "elsewhere":
        own = "other month"
    return _row(
        branches + name,
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


def _branches(above: Sequence[int], at: int, last: Collection[int], depth: int) -> str:
    if not depth:
        return ""
    drawn = ["\u2514\u2500 " if at in last else "\u251c\u2500 "]
    if depth > _DEPTH_DRAWN:
        return f"depth {depth:,} {drawn[0]}"
    up = above[at]
    while up >= 0 and above[up] >= 0:
        drawn.append("   " if up in last else "\u2502  ")
        up = above[up]
    return "".join(reversed(drawn))


def _paid_by(decision: Decision) -> str:
    if decision.joint:
        return f"users of {decision.joint.users_of}, by {decision.joint.by}"
    payers = payers_of(decision)
    shares = [f"{one.team} {one.weight}" if len(payers) > 1 else one.team for one in payers]
    rules = dict.fromkeys(because(one.transfer, one.service) for one in payers if one.transfer)
    return " : ".join(shares) + (f" ({'; '.join(rules)})" if rules else "")


def _shown(trace: Trace, most: int) -> Collection[int]:
    """The dearest nodes with all that stand above them; every node if they are few."""
    if len(trace) <= most:
        return range(len(trace))
    shown: set[int] = set()
    for first in sorted(range(len(trace)), key=lambda at: -trace.rolled_pico[at]):
        path, at = [], first
        while at >= 0 and at not in shown:
            path.append(at)
            at = trace.above[at]
        if len(shown) + len(path) > most:
            break
        shown |= set(path)
    return shown


def _depths(above: Sequence[int], shown: Sequence[int]) -> Mapping[int, int]:
    """How many nodes stand above each that is drawn; ``shown`` ascends, and has those too."""
    depths = {-1: -1}
    for at in shown:
        depths[at] = depths[above[at]] + 1
    return depths


def _last_children(above: Sequence[int], shown: Sequence[int]) -> Collection[int]:
    """Of each node the last child that is drawn; ``shown`` ascends."""
    return set({above[at]: at for at in shown}.values())


def _amount(pico: int) -> str:
    """An exact amount with two decimals, or with as many as it has."""
    text = format_units(pico, PICO_SCALE)
    whole, _, decimals = text.partition(".")
    kept = decimals.rstrip("0")
    return f"{whole}.{kept.ljust(2, '0')}"


def _exact(pico: int) -> str:
    return format_units(pico, PICO_SCALE)
