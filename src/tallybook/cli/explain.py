"""`explain`: any statement line or posting, back to the calls."""

from __future__ import annotations

import click

from tallybook.cli.app import App, table
from tallybook.cli.ledger import exact
from tallybook.cli.options import json_option
from tallybook.clock import format_instant
from tallybook.money import format_units
from tallybook.report.calls import Call
from tallybook.report.explain import Explanation
from tallybook.report.explain import explain as explain_line

PICO_SCALE = 12


@click.command()
@click.argument("line")
@click.option("--sample", default=5, show_default=True, help="How many calls to show.")
@json_option
@click.pass_obj
def explain(app: App, line: str, sample: int) -> None:
    """Explain LINE: a statement line, an entry, or a posting (E-000012:2), back to its calls.

    Examples:  tallybook explain L-2026-10-3f9a12c4d5e6
    tallybook explain E-000012:2 --json
    """
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
    }


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
        ("decided by", "payer", "purpose", "run by", "calls"),
        [
            [o.rule, f"{o.team} {o.feature}".strip(), o.purpose, o.executor, str(calls)]
            for o, calls in found.owners[:20]
        ],
        right=(4,),
    )
    calls = table(
        ("event", "started", "model", "tokens", "at rate card"),
        [
            [
                f"{c.source}/{c.event_id}",
                format_instant(c.started_us),
                f"{c.provider}/{c.model}",
                str(c.tokens),
                "unpriced" if c.unpriced else format_units(c.card_pico, PICO_SCALE),
            ]
            for c in found.calls.sample
        ],
        right=(3, 4),
    )
    return (
        f"{found.line}, {found.period}: {exact(found.posted_nano)} posted\n\n{entries}\n\n"
        f"allocated from\n{shares}\n\nowned by\n{owners}\n\n"
        f"behind it: {found.calls.count} calls, {found.calls.tokens} tokens, exactly"
        f" {format_units(found.calls.card_pico, PICO_SCALE)} at rate card"
        f" ({format_units(found.calls.contract_pico, PICO_SCALE)} at contract); the dearest:\n"
        f"{calls}"
    )
