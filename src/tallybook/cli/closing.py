"""`status`, `waive`, `close`, `reopen`: the end of a month, with its checklist."""

from __future__ import annotations

from collections.abc import Sequence

import click

from tallybook.budget.undecided import undecided_item
from tallybook.cli.app import App, note, table
from tallybook.cli.options import json_option, period_argument
from tallybook.clock import Period, format_instant
from tallybook.close.checklist import Item
from tallybook.close.close import check_close
from tallybook.close.close import close as close_period
from tallybook.close.reopen import reopen as reopen_period
from tallybook.close.soft import soft_close
from tallybook.close.waive import WAIVABLE
from tallybook.close.waive import waive as sign_waiver
from tallybook.errors import PeriodError, WrongUsageError
from tallybook.ledger.state import CLOSED, SOFT_CLOSED, last_turn, period_state, standing_close
from tallybook.money import format_cents
from tallybook.report.current import statements_of
from tallybook.report.issue import prepare_issue
from tallybook.store import Tx
from tallybook.store.commands import Command, log_command


def asked_beside(tx: Tx, period: Period) -> Sequence[Item]:
    """What rooms beside the line have to say of a month that closes."""
    return (undecided_item(tx, period),)


@click.command()
@period_argument
@json_option
@click.pass_context
def status(ctx: click.Context, period: Period) -> None:
    """Run PERIOD and show its close checklist, closing nothing. Exit 1 when something blocks.

    A soft-closed period is not run: its usage is cut off.

    Example:  tallybook status 2026-10
    """
    app: App = ctx.obj
    with app.store.read() as tx:
        act, turn = standing_close(tx, str(period)), last_turn(tx, str(period))
    if act:
        closed_at = format_instant(act.recorded_us)
        app.answer(
            {"closed_at": closed_at, "closed_by": act.actor, "act": act.id},
            f"{period} is closed: {act.id} by {act.actor} at {closed_at}",
        )
        return
    if turn and turn.kind == "soft_close":
        note(f"{period} is {SOFT_CLOSED}: {turn.id} by {turn.actor}; finance entries only")
    items = check_close(app.store, period, clock=app.clock, actor=app.actor, asked=asked_beside)
    app.answer(_item_values(items), _checklist_text(items))
    ctx.exit(1 if any(item.blocks for item in items) else 0)


@click.command()
@period_argument
@click.argument("item")
@click.option("--estimate", required=True, help="What it amounts to, in currency units.")
@click.option("--reason", required=True, help="Why the period may close all the same.")
@json_option
@click.pass_obj
def waive(app: App, period: Period, item: str, estimate: str, reason: str) -> None:
    """Sign a waiver for ITEM of PERIOD, an item of its checklist.

    ITEM is unallocated, unknown, estimated, unpriced, suspects, unreconciled, suspense, open_items
    or budgets. The waiver covers what the item shows now: if that grows, it has to be signed again.
    Where org.yaml declares roles, an approver signs.

    Examples:  tallybook --as cfo waive 2026-10 unpriced --estimate 12.50 --reason "beta model"
    tallybook --as cfo waive 2026-11 open_items --estimate 300 --reason "invoice announced"
    """
    now_us = app.clock.now_us()
    args = {"period": str(period), "item": item, "estimate": estimate, "reason": reason}
    figure = _figure(app, period, item)
    with app.store.write() as tx:
        link = sign_waiver(
            tx,
            str(period),
            item,
            estimate=estimate,
            reason=reason,
            actor=app.actor,
            now_us=now_us,
            figure=figure,
        )
        log_command(tx, Command("waive", args, app.actor), now_us, {}, link.id)
    app.answer({"act": link.id}, f"{item} of {period} waived by {app.actor}: {link.id}")


def _figure(app: App, period: Period, name: str) -> int | None:
    """How much of an item there is to sign for; None where `waive` refuses it anyway."""
    with app.store.read() as tx:
        is_closed = period_state(tx, str(period)) == CLOSED
    if is_closed or name not in WAIVABLE:
        return None
    items = check_close(app.store, period, clock=app.clock, actor=app.actor, asked=asked_beside)
    item = next(each for each in items if each.name == name)
    if not item.figure:
        raise PeriodError(
            f"{name} of {period} has nothing to sign for: {item.evidence}",
            next_step=f"see what stops the close: tallybook status {period}",
        )
    return item.figure


@click.command()
@period_argument
@click.option("--soft", is_flag=True, help="Cut off usage; take finance entries only from now on.")
@click.option("--reason", default="", help="Of a soft close: why now.")
@click.option("--approved-by", default="", help="Who countersigns: not the one who acts.")
@json_option
@click.pass_obj
def close(app: App, period: Period, *, soft: bool, reason: str, approved_by: str) -> None:
    """Close PERIOD: run it, check it, issue its statements. Nothing posts into it afterwards.

    With --soft usage is cut off first: late calls post into the next month, while adjusting entries
    and true-ups still post here. Who wrote policy, prices, a waiver or an adjusting entry of the
    month does not close it alone where org.yaml declares roles: another closes or countersigns.

    Examples:  tallybook --as controller close 2026-10 --soft
    tallybook --as controller close 2026-10
    tallybook --as controller close 2026-10 --approved-by cfo
    """
    if soft:
        _cut_off(app, period, reason, approved_by)
        return
    if reason:
        raise WrongUsageError("--reason is for --soft", next_step="leave it out")
    closed = close_period(
        app.store,
        period,
        issuer=prepare_issue,
        clock=app.clock,
        actor=app.actor,
        approved_by=approved_by,
        asked=asked_beside,
    )
    issue = statements_of(app.store, period)
    note(_checklist_text(closed.checklist))
    app.answer(
        {
            "period": closed.period,
            "version": issue.version,
            "charged_total": format_cents(issue.charged_total_cents),
            "central": format_cents(issue.central_total_cents),
            "ledger_cost": format_cents(issue.ledger_cost_cents),
            "body_sha256": issue.body_sha256,
            "seal": issue.seal,
            "checklist": _item_values(closed.checklist),
        },
        f"{closed.period} is closed, statements version {issue.version}\n"
        f"  charged {format_cents(issue.charged_total_cents, grouped=True)}"
        f" + central {format_cents(issue.central_total_cents, grouped=True)}"
        f" = ledger cost {format_cents(issue.ledger_cost_cents, grouped=True)} {issue.currency}\n"
        f"  seal {issue.seal}\n  next: tallybook statement {closed.period}",
    )


def _cut_off(app: App, period: Period, reason: str, approved_by: str) -> None:
    if approved_by:
        raise WrongUsageError(
            "--approved-by is for the close itself", next_step="leave it out with --soft"
        )
    done = soft_close(app.store, period, clock=app.clock, actor=app.actor, reason=reason)
    note(_checklist_text(done.checklist))
    app.answer(
        {
            "period": done.period,
            "state": SOFT_CLOSED,
            "act": done.act,
            "checklist": _item_values(done.checklist),
        },
        f"{done.period} is soft-closed: {done.act} by {app.actor}; finance entries only\n"
        f"  next: tallybook adjust {done.period}, then tallybook close {done.period}",
    )


@click.command()
@period_argument
@click.option("--reason", required=True, help="Why what was issued has to change.")
@click.option("--approved-by", required=True, help="Who agrees: not the one who acts.")
@json_option
@click.pass_obj
def reopen(app: App, period: Period, reason: str, approved_by: str) -> None:
    """Reopen PERIOD, the last closed one. Its next close issues a corrected statement version.

    A soft-closed period is reopened in the same way. If its close rolled a year, that is reversed.

    Example:  tallybook --as controller reopen 2026-10 --reason "wrong price" --approved-by cfo
    """
    with app.store.write() as tx:
        link = reopen_period(
            tx,
            period,
            reason=reason,
            approved_by=approved_by,
            actor=app.actor,
            now_us=app.clock.now_us(),
        )
    app.answer(
        {"act": link.id, "period": str(period)},
        f"{period} is open again: {link.id} by {app.actor}, approved by {approved_by}\n"
        f"  next: tallybook run {period}, then tallybook close {period}",
    )


def _item_values(items: Sequence[Item]) -> list[dict[str, object]]:
    return [
        {
            "name": x.name,
            "ok": x.ok,
            "blocks": x.blocks,
            "evidence": x.evidence,
            "waivable": x.waivable,
            "waived_by": x.waived_by,
            "look": x.look,
            "next_step": x.next_step,
        }
        for x in items
    ]


def _checklist_text(items: Sequence[Item]) -> str:
    rows = [
        [
            "blocks" if x.blocks else "waived" if x.waived_by and not x.ok else "ok",
            x.name,
            x.evidence,
        ]
        for x in items
    ]
    looks = [f"  {x.name}: {x.look}" for x in items if not x.ok and x.look]
    text = table(("", "item", "evidence"), rows)
    return "\n".join([text, "where to look", *looks]) if looks else text
