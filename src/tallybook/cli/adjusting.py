"""`adjust`, `dispute`, `open-items`: what finance corrects by hand, and what is not settled."""

from __future__ import annotations

import csv
from hashlib import sha256
from pathlib import Path
from typing import Any

import click

from tallybook.cli.app import App, parse_period, table
from tallybook.cli.ledger import exact
from tallybook.cli.options import filled, json_option, period_argument
from tallybook.clock import Period, format_instant
from tallybook.close.adjust import (
    Adjusting,
    AdjustingLine,
    adjustings,
    approve,
    line_of,
    post,
    prepare,
    reject,
    undo,
)
from tallybook.close.dispute import Ending, settle_dispute
from tallybook.close.dispute import dispute as raise_dispute
from tallybook.close.open_items import OpenItem
from tallybook.close.open_items import open_items as list_open_items
from tallybook.errors import WrongUsageError
from tallybook.money import format_cents
from tallybook.post.basis import latest_books
from tallybook.report.disputed import disputed_line

_COLUMNS = ("account", "amount")


@click.command()
@period_argument
@click.option("--line", "lines", multiple=True, metavar="ACCOUNT=AMOUNT",
              help="One side, debit positive; of a charge Charge:TEAM:FEATURE=AMOUNT.")  # fmt: skip
@click.option("--file", "file", type=click.Path(path_type=Path, exists=True, dir_okay=False),
              help="The sides as CSV with the columns account and amount.")  # fmt: skip
@click.option("--text", default="", help="What statements say of it, in a few words.")
@click.option("--reason", default="", help="Why it is right; of a rejection, why not.")
@click.option("--support", default="", help="What proves it: a reference, or a file.")
@click.option("--about", default="", callback=filled,
              help="The closed month that it is about, if another.")  # fmt: skip
@click.option("--reverse-next", is_flag=True, help="Post its reversal into the month after.")
@click.option("--approve", "approved", default="", metavar="ID", callback=filled,
              help="Approve a draft.")  # fmt: skip
@click.option("--post", "posted", default="", metavar="ID", callback=filled,
              help="Post what was approved.")  # fmt: skip
@click.option("--reject", "rejected", default="", metavar="ID", callback=filled,
              help="Reject what is not posted.")  # fmt: skip
@click.option("--undo", "undone", default="", metavar="ID", callback=filled,
              help="Reverse what was posted.")  # fmt: skip
@json_option
@click.pass_obj
def adjust(app: App, /, period: Period, **options: Any) -> None:
    """Adjusting entries of PERIOD by hand: prepared by one, approved by another, then posted.

    Without options it lists them. An entry balances or is refused whole; it posts on Charge,
    Variance, Absorption, Suspense, Accrued, Payable, Prepaid or Tax. PERIOD is open or soft-closed.

    Examples:  tallybook --as sam adjust 2026-10 --line Charge:support:refund-bot=-12.50 --line
    Variance:goodwill=12.50 --text "Outage of 3 October" --reason "agreed" --support INC-4711
    tallybook --as cfo adjust 2026-10 --approve J-0001
    tallybook --as cfo adjust 2026-10 --post J-0001
    tallybook --as cfo adjust 2026-10 --reject J-0002 --reason "no support"
    tallybook adjust 2026-10
    """
    made = _acted(app, options)
    if made is None and (options["lines"] or options["file"]):
        made = _prepared(app, period, options)
    if made is None:
        with app.store.read() as tx:
            every = adjustings(tx, str(period))
        app.answer([_adjusting_value(one) for one in every], _adjustings_text(every))
        return
    app.answer(_adjusting_value(made), _adjusting_text(made))


def _acted(app: App, options: dict[str, Any]) -> Adjusting | None:
    """What one of the options that name an entry did."""
    verbs = ("approved", "posted", "rejected", "undone")
    named = [verb for verb in verbs if options[verb]]
    if len(named) > 1:
        raise WrongUsageError("more than one of --approve, --post, --reject, --undo is given")
    if not named:
        return None
    reference, reason = options[named[0]], options["reason"]
    actor, now_us = app.actor, app.clock.now_us()
    with app.store.write() as tx:
        if named[0] == "approved":
            return approve(tx, reference, reason=reason, actor=actor, now_us=now_us)
        if named[0] == "posted":
            return post(tx, reference, actor=actor, now_us=now_us)
        act = reject if named[0] == "rejected" else undo
        return act(tx, reference, reason=reason, actor=actor, now_us=now_us)


def _prepared(app: App, period: Period, options: dict[str, Any]) -> Adjusting:
    lines = [line_of(text) for text in options["lines"]]
    if options["file"]:
        lines += _lines_in(options["file"])
    support, digest = options["support"], ""
    if support and Path(support).is_file():
        digest = sha256(Path(support).read_bytes()).hexdigest()
        support = Path(support).name
    with app.store.write() as tx:
        return prepare(
            tx,
            period,
            lines,
            about=parse_period(options["about"]) if options["about"] else None,
            text=options["text"],
            reason=options["reason"],
            support=support,
            support_sha256=digest,
            reverses=options["reverse_next"],
            actor=app.actor,
            now_us=app.clock.now_us(),
        )


def _lines_in(path: Path) -> list[AdjustingLine]:
    with path.open(encoding="utf-8", newline="") as text:
        rows = csv.DictReader(text)
        if tuple(rows.fieldnames or ()) != _COLUMNS:
            raise WrongUsageError(
                f"{path}:1: the columns are {', '.join(rows.fieldnames or ())}",
                next_step="name them account,amount",
            )
        return [line_of(f"{row['account']}={row['amount']}") for row in rows]


@click.command()
@click.argument("reference", metavar="LINE|DISPUTE")
@click.option("--reason", required=True, help="What is wrong; of a settlement, why.")
@click.option("--adjusted", default="", metavar="ID", callback=filled,
              help="Settled by this adjusting entry.")  # fmt: skip
@click.option("--rejected", is_flag=True, help="Settled without one.")
@json_option
@click.pass_obj
def dispute(app: App, reference: str, reason: str, adjusted: str, *, rejected: bool) -> None:
    """Dispute LINE of an issued statement, or settle DISPUTE by an adjusting entry or a rejection.

    Examples:  tallybook --as lead dispute L-2026-10-0123456789ab --reason "not our key"
    tallybook --as cfo dispute D-0001 --adjusted J-0003 --reason "the key was theirs"
    tallybook --as cfo dispute D-0001 --rejected --reason "the key is in org.yaml since March"
    """
    now_us = app.clock.now_us()
    if adjusted and rejected:
        raise WrongUsageError("--adjusted and --rejected exclude each other")
    if adjusted or rejected:
        ending: Ending = "adjusted" if adjusted else "rejected"
        with app.store.write() as tx:
            settle_dispute(
                tx, reference, ending, adjusting=adjusted, reason=reason, actor=app.actor,
                now_us=now_us,
            )  # fmt: skip
        app.answer({"dispute": reference, "ending": ending}, f"{reference} is {ending}")
        return
    with app.store.write() as tx:
        about = disputed_line(tx, reference)
        today = latest_books(tx)[0].calendar.date_of(now_us)
        made = raise_dispute(tx, about, reason=reason, today=today, actor=app.actor, now_us=now_us)
    app.answer(
        {"dispute": made.id, "line": made.line, "amount": format_cents(made.amount_cents)},
        f"{made.id}: {made.team} disputes {format_cents(made.amount_cents)} of {made.period}\n"
        "  next: tallybook open-items",
    )


@click.command("open-items")
@json_option
@click.pass_obj
def open_items(app: App) -> None:
    """What is booked or disputed and not settled, with its age: accruals, suspense, disputes.

    The policy of the running month says from which age and amount an item stops a close.

    Example:  tallybook open-items --json
    """
    now_us = app.clock.now_us()
    with app.store.read() as tx:
        books = latest_books(tx)[0]
        closing = books.policy.at(books.calendar.period_of(now_us)).closing
        items = list_open_items(tx, books.calendar, now_us, closing.open_items)
    app.answer([_open_value(item) for item in items], _open_text(items))


def _open_value(item: OpenItem) -> dict[str, Any]:
    return {
        "kind": item.kind,
        "what": item.what,
        "service_period": item.service_period,
        "amount": exact(item.amount_nano),
        "since": format_instant(item.since_us),
        "days": item.days,
        "over": item.over,
        "next_step": item.next_step,
    }


def _open_text(items: list[OpenItem]) -> str:
    rows = [
        [
            item.kind,
            item.what,
            item.service_period,
            exact(item.amount_nano),
            str(item.days),
            "over the limit" if item.over else "",
        ]
        for item in items
    ]
    headers = ("kind", "what", "about", "amount", "days", "")
    return table(headers, rows, right=(3, 4)) if rows else "nothing is open"


def _adjusting_value(one: Adjusting) -> dict[str, Any]:
    return {
        "id": one.id,
        "state": one.state,
        "period": one.period,
        "service_period": one.service_period,
        "text": one.text,
        "reason": one.reason,
        "support": one.support,
        "support_sha256": one.support_sha256,
        "reverses": one.reverses,
        "prepared_by": one.actor,
        "role": one.role,
        "digest": one.digest,
        "lines": [
            {
                "account": line.account,
                "team": line.team,
                "feature": line.feature,
                "amount": exact(line.amount_nano),
            }
            for line in one.lines
        ],
        "steps": [
            {
                "step": step.step,
                "link": step.link,
                "actor": step.actor,
                "role": step.role,
                "reason": step.reason,
                "at": format_instant(step.at_us),
            }
            for step in one.steps
        ],
    }


_NEXT = {
    "draft": "another person: tallybook adjust {period} --approve {id}",
    "approved": "tallybook adjust {period} --post {id}",
}


def _adjusting_text(one: Adjusting) -> str:
    rows = [[line.account, line.feature, exact(line.amount_nano)] for line in one.lines]
    head = f"{one.id} of {one.period}, {one.state}: {one.text}"
    text = head + "\n" + table(("account", "feature", "amount"), rows, right=(2,))
    step = _NEXT.get(one.state, "").format(period=one.period, id=one.id)
    return f"{text}\n  next: {step}" if step else text


def _adjustings_text(every: list[Adjusting]) -> str:
    rows = [
        [one.id, one.state, one.service_period, one.actor, one.text, one.support] for one in every
    ]
    headers = ("id", "state", "about", "prepared by", "text", "support")
    return table(headers, rows) if rows else "no adjusting entries"
