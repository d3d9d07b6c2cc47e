"""`explain`: any statement line or posting, back to the calls."""

from __future__ import annotations

import click

from tallybook.cli.app import App, table
from tallybook.cli.ledger import exact
from tallybook.cli.options import json_option
from tallybook.cli.traces import explain_trace
from tallybook.clock import format_instant
from tallybook.money import format_units
from tallybook.report.calls import Call
from tallybook.report.explain import Explanation
from tallybook.report.explain import explain as explain_line
from tallybook.report.graph.trace_text import payers_of
from tallybook.report.sides import rule_words

PICO_SCALE = 12
CALLS, NODES = 5, 60
_BOOKED = ("L-", "E-")
"""How the ids of lines, entries and postings begin."""


@click.command()
@click.argument("line")
@click.option(
    "--sample", type=int, help="How many calls of a line to show (5), or nodes of a trace (60)."
)
@json_option
@click.pass_obj
def explain(app: App, line: str, sample: int | None) -> None:
    """Explain LINE: a statement line, an entry, or a posting (E-000012:2), back to its calls.

    Each call says who started it, who ran it, who pays and by which rule between teams.

    Anything else is the id of a trace: its tree is drawn, each node with its own cost, the cost of
    all beneath it, its owners and the rule. An open month is seen as its next run would see it.

    Examples:  tallybook explain L-2026-10-3f9a12c4d5e6
    tallybook explain E-000012:2 --json
    tallybook explain 4bf92f3577b34da6a3ce929d0e0e4736
    """
    if not line.startswith(_BOOKED):
        explain_trace(app, line, NODES if sample is None else sample)
        return
    sample = CALLS if sample is None else sample
    found = explain_line(app.store, line, sample)
    app.answer(_value(found), _text(found))


def _value(found: Explanation) -> dict[str, object]:
    return {
        "line": found.line,
        "period": found.period,
        "amount": exact(found.posted_nano),
        "entries": [
            {
                "id": part.entry,
                "reason": part.reason,
                "account": part.account,
                "source": part.source,
                "amount": exact(part.amount_nano),
                "versions": dict(part.versions),
            }
            for part in found.entries
        ],
        "allocated": [
            {"what": share.what, "detail": share.detail, "amount": exact(share.amount_nano)}
            for share in found.allocated
        ],
        "attributed": [
            {
                "rule": owner.rule,
                "team": owner.team,
                "feature": owner.feature,
                "purpose": owner.purpose,
                "executor": owner.executor,
                "origin": owner.started_by[0],
                "origin_feature": owner.started_by[1],
                "service": owner.service,
                "transfer": owner.transfer,
                "calls": calls,
            }
            for owner, calls in found.owners
        ],
        "rated": {
            "count": found.calls.count,
            "tokens": found.calls.tokens,
            "sum": format_units(found.calls.card_pico, PICO_SCALE),
            "contract_sum": format_units(found.calls.contract_pico, PICO_SCALE),
            "sample": [_call(call) for call in found.calls.sample],
        },
        "invoice_lines": [],
    }


def _call(call: Call) -> dict[str, object]:
    return {
        "source": call.source,
        "event_id": call.event_id,
        "started_at": format_instant(call.started_us),
        "provider": call.provider,
        "model": call.model,
        "tokens": call.tokens,
        "card": format_units(call.card_pico, PICO_SCALE),
        "contract": format_units(call.contract_pico, PICO_SCALE),
        "unpriced": call.unpriced,
        "origin": call.decision.owner.started_by[0],
        "origin_feature": call.decision.owner.started_by[1],
        "executor": call.decision.owner.executor,
        "payers": [
            {
                "team": payer.team,
                "feature": payer.feature,
                "service": payer.service,
                "transfer": payer.transfer,
                "weight": payer.weight,
            }
            for payer in payers_of(call.decision)
        ],
    }


def _paid_by(call: Call) -> str:
    """Who bears a call and by which rule, in words."""
    if joint := call.decision.joint:
        return f"users of {joint.users_of}, by {joint.by} (joint)"
    payers = payers_of(call.decision)
    shared = len(payers) > 1
    parts = [f"{payer.team} {payer.weight}" if shared else payer.team for payer in payers]
    rules = dict.fromkeys(rule_words(payer.transfer) for payer in payers if payer.transfer)
    return " : ".join(parts) + (f" ({', '.join(rules)})" if rules else "")


def _text(found: Explanation) -> str:
    entries = table(
        ("entry", "account", "group", "amount"),
        [[p.entry, p.account, p.source, exact(p.amount_nano)] for p in found.entries],
        right=(3,),
    )
    shares = table(
        ("step", "detail", "amount"),
        [[s.what, s.detail, exact(s.amount_nano)] for s in found.allocated],
        right=(2,),
    )
    owners = table(
        ("decided by", "started by", "run by", "paid by", "rule", "purpose", "calls"),
        [
            [
                o.rule,
                " ".join(filter(None, o.started_by)),
                o.executor,
                f"{o.team} {o.feature}".strip(),
                " ".join(filter(None, (o.service, rule_words(o.transfer)))),
                o.purpose,
                str(calls),
            ]
            for o, calls in found.owners[:20]
        ],
        right=(6,),
    )
    calls = table(
        ("event", "started", "model", "started by", "run by", "paid by", "tokens", "at rate card"),
        [
            [
                f"{c.source}/{c.event_id}",
                format_instant(c.started_us),
                f"{c.provider}/{c.model}",
                " ".join(filter(None, c.decision.owner.started_by)),
                c.decision.owner.executor,
                _paid_by(c),
                str(c.tokens),
                "unpriced" if c.unpriced else format_units(c.card_pico, PICO_SCALE),
            ]
            for c in found.calls.sample
        ],
        right=(6, 7),
    )
    return (
        f"{found.line}, {found.period}: {exact(found.posted_nano)} posted\n\n{entries}\n\n"
        f"allocated from\n{shares}\n\nowned by\n{owners}\n\n"
        f"behind it: {found.calls.count} calls, {found.calls.tokens} tokens, exactly"
        f" {format_units(found.calls.card_pico, PICO_SCALE)} at rate card"
        f" ({format_units(found.calls.contract_pico, PICO_SCALE)} at contract); the dearest:\n"
        f"{calls}"
    )
