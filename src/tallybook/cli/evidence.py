"""`evidence`, `decide`, `coverage`: what sources told, what they do not tell, and who decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import click

from tallybook.cli.app import App, table
from tallybook.cli.options import json_option, period_argument
from tallybook.clock import Period, format_instant
from tallybook.errors import WrongUsageError
from tallybook.meter.resolve.decide import VERDICTS, Verdict, between, suspects, told_of
from tallybook.meter.resolve.decide import decide as decide_suspects
from tallybook.meter.resolve.evidence import Evidence
from tallybook.meter.resolve.evidence import evidence as evidence_of
from tallybook.money import format_share, format_units
from tallybook.post.basis import latest_books
from tallybook.post.coverage import Coverage, SourceCover, Tally
from tallybook.post.coverage import coverage as cover
from tallybook.store.commands import Command

_PICO = 12


@click.command()
@click.argument("event")
@click.option("--source", default="", help="Whose id it is, where several sources use it.")
@json_option
@click.pass_obj
def evidence(app: App, event: str, source: str) -> None:
    """Show what every source said of the call behind EVENT, and which field was taken from whom.

    Examples:  tallybook evidence chatcmpl-abc
    tallybook evidence req-17 --source litellm
    """
    with app.store.read() as tx:
        calendar = latest_books(tx)[0].calendar
    found = evidence_of(app.store, calendar, event, source)
    app.answer(asdict(found), _evidence_text(found))


def _evidence_text(found: Evidence) -> str:
    said = [
        [one.source, one.event_id, one.role, one.part, _usage(one.fields)] for one in found.said
    ]
    lines = [f"call {found.call[:12]}, billed by: {found.billed or 'nothing'}", ""]
    lines.append(table(["source", "id", "role", "what became of it", "usage"], said))
    taken = [[one.field, _short(one.value), one.source, _others(one.others)] for one in found.taken]
    return "\n".join([*lines, "", table(["field", "value", "taken from", "others said"], taken)])


def _usage(fields: dict[str, Any] | Any) -> str:
    if "total_tokens" in fields:
        return f"{fields['total_tokens']} tokens, {fields['state']}"
    return str(fields.get("state", ""))


def _others(others: Sequence[tuple[str, Any]]) -> str:
    return ", ".join(f"{source}: {_short(value)}" for source, value in others)


def _short(value: Any) -> str:
    return " ".join(f"{k}={v}" for k, v in value.items()) if isinstance(value, dict) else str(value)


@click.command()
@click.argument("verdict", type=click.Choice(VERDICTS))
@click.argument("ids", nargs=-1, metavar="SUSPECT...")
@click.option("--between", "pair", nargs=2, help="All open suspects that two sources told of.")
@click.option("--reason", required=True, help="Why, for whoever asks later.")
@json_option
@click.pass_obj
def decide(
    app: App, verdict: Verdict, ids: tuple[str, ...], pair: tuple[str, str] | None, reason: str
) -> None:
    """Say of suspects whether they are one call; `same` ones bill once from now on.

    Examples:  tallybook decide same U-1a2b3c4d5e --reason "the proxy logs both"
    tallybook decide different --between litellm helicone --reason "two gateways, two callers"
    """
    with app.store.read() as tx:
        calendar = latest_books(tx)[0].calendar
        chosen = [*ids, *(between(suspects(tx), *pair) if pair else ())]
    if not chosen:
        raise WrongUsageError(
            "no suspect is named" if not pair else f"no open suspect is of {' and '.join(pair)}",
            next_step="see tallybook worklist suspects",
        )
    command = Command(
        "decide", {"verdict": verdict, "suspects": chosen, "reason": reason}, app.actor
    )
    decided = decide_suspects(
        app.store, calendar, verdict, chosen, reason, command, app.clock.now_us()
    )
    app.answer(
        {"verdict": verdict, "suspects": [one.id for one in decided]},
        f"{told_of(len(decided), verdict)}\n  next: tallybook run of their month",
    )


@click.command()
@period_argument
@json_option
@click.pass_obj
def coverage(app: App, period: Period) -> None:
    """Show how well PERIOD is metered: by source, by tag, what is unknown, where nothing was told.

    Example:  tallybook coverage 2026-10
    """
    found = cover(app.store, period)
    app.answer(_coverage_json(found), _coverage_text(found))


def _coverage_json(found: Coverage) -> dict[str, Any]:
    return {
        "period": found.period,
        "total": _tally_json(found.total),
        "sources": [
            {
                "source": one.source,
                "standpoint": one.standpoint,
                "told": one.told,
                "billed": _tally_json(one.billed),
                "share_of_calls": format_share(one.billed.calls, found.total.calls),
                "share_of_cost": format_share(one.billed.card_pico, found.total.card_pico),
                "states": dict(one.states),
                "unpriced": one.unpriced,
                "gaps": [[format_instant(a), format_instant(b)] for a, b in one.gaps],
                "silent_while": one.silent_while,
            }
            for one in found.sources
        ],
        "tags": [
            {
                "key_id": one.key_id,
                "service": one.service,
                "tagged": _tally_json(one.tagged),
                "untagged": _tally_json(one.untagged),
                "unowned": _tally_json(one.unowned),
            }
            for one in found.tags
        ],
        "suspects": found.suspects,
        "beside": found.beside,
        "advice": list(found.advice),
    }


def _tally_json(tally: Tally) -> dict[str, Any]:
    cost = format_units(tally.card_pico, _PICO)
    return {"calls": tally.calls, "tokens": tally.tokens, "cost": cost}


def _coverage_text(found: Coverage) -> str:
    sources = [_source_row(one, found.total) for one in found.sources]
    head = ["source", "told of", "billed", "calls", "cost", "unknown", "estimated", "unpriced"]
    summary = (
        f"{found.period}: {_counted(found.total.calls, 'call bills', 'calls bill')},"
        f" {_counted(found.beside, 'observation stands', 'observations stand')} beside,"
        f" {_counted(found.suspects, 'suspect', 'suspects')}"
    )
    parts = [
        summary,
        table([*head, "longest silence"], sources, right=range(1, 8)),
    ]
    tags = [
        [
            one.key_id or "(no key)",
            one.service or "(no service)",
            f"{one.tagged.calls:,}",
            f"{one.untagged.calls:,}",
            format_share(one.tagged.calls, one.tagged.calls + one.untagged.calls),
            f"{one.unowned.calls:,}",
        ]
        for one in found.tags
    ]
    heads = ["key", "service", "tagged", "untagged", "share tagged", "without owner"]
    parts.append(table(heads, tags, right=range(2, 6)))
    if found.advice:
        parts.append("What to do:\n" + "\n".join(f"  - {line}" for line in found.advice))
    return "\n\n".join(parts)


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def _source_row(one: SourceCover, total: Tally) -> list[str]:
    silence = ""
    if one.gaps:
        silence = " to ".join(format_instant(at)[:16] for at in one.gaps[0])
    return [
        one.source,
        f"{one.told:,}",
        f"{one.billed.calls:,}",
        format_share(one.billed.calls, total.calls),
        format_share(one.billed.card_pico, total.card_pico),
        f"{one.states.get('unknown', 0):,}",
        f"{one.states.get('estimated', 0):,}",
        f"{one.unpriced:,}",
        silence,
    ]
