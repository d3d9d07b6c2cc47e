"""`pool`, `run`, `status`, `waive`, `close`, `reopen`: a month's work, in order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from tallybook.cli.app import App, note, table
from tallybook.cli.options import json_option, period_argument
from tallybook.clock import Period, format_instant
from tallybook.close.checklist import Item
from tallybook.close.close import check_close
from tallybook.close.close import close as close_period
from tallybook.close.reopen import reopen as reopen_period
from tallybook.close.waive import waive as sign_waiver
from tallybook.errors import WrongUsageError
from tallybook.ledger.state import standing_close
from tallybook.money import format_cents
from tallybook.post.pool import enter_actual
from tallybook.post.run import run as run_period
from tallybook.report.current import statements_of
from tallybook.report.issue import prepare_issue
from tallybook.store.commands import Command, log_command


@click.command()
@period_argument
@click.argument("pool_id", metavar="POOL")
@click.argument("amount")
@json_option
@click.pass_obj
def pool(app: App, period: Period, pool_id: str, amount: str) -> None:
    """Enter what a cost pool really cost in PERIOD; the difference to policy is its variance.

    Example:  tallybook pool 2026-10 gateway 4310.55
    """
    command = Command("pool", {"period": str(period), "pool": pool_id, "amount": amount}, app.actor)
    enter_actual(app.store, period, pool_id, amount, command, app.clock.now_us())
    app.answer(
        {"period": str(period), "pool": pool_id, "amount": amount},
        f"{pool_id} cost {amount} in {period}\n  next: tallybook run {period}",
    )


@click.command()
@period_argument
@click.option(
    "--engine",
    type=click.Choice(["duckdb", "spark"]),
    default="duckdb",
    show_default=True,
    help="What reads the sealed events; both give the same figures.",
)
@click.option("--master", help="Where Spark runs: local[2], spark://host:7077, .. (local[*]).")
@json_option
@click.pass_obj
def run(app: App, period: Period, engine: str, master: str | None) -> None:
    """Rate, attribute, allocate and post what is new in PERIOD. Running twice posts nothing.

    Example:  tallybook run 2026-10
              tallybook run 2026-10 --engine spark --master spark://host:7077
    """
    with _reading_on(app, engine, master):
        result = run_period(app.store, period, clock=app.clock, actor=app.actor)
    events = "1 event" if result.events == 1 else f"{result.events} events"
    app.answer(
        {
            "period": result.period,
            "events": result.events,
            "entries": list(result.entries),
            "postings": result.postings,
            "prices": result.prices,
        },
        f"{events} of {result.period} at prices {result.prices}: "
        + (
            f"{len(result.entries)} entries, {result.postings} postings"
            if result.entries
            else "nothing new to post"
        ),
    )


@click.command()
@period_argument
@json_option
@click.pass_context
def status(ctx: click.Context, period: Period) -> None:
    """Run PERIOD and show its close checklist, closing nothing. Exit 1 when something blocks.

    Example:  tallybook status 2026-10
    """
    app: App = ctx.obj
    with app.store.read() as tx:
        act = standing_close(tx, str(period))
    if act:
        closed_at = format_instant(act.recorded_us)
        app.answer(
            {"closed_at": closed_at, "closed_by": act.actor, "act": act.id},
            f"{period} is closed: {act.id} by {act.actor} at {closed_at}",
        )
        return
    items = check_close(app.store, period, clock=app.clock, actor=app.actor)
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
    """Sign a waiver for ITEM of PERIOD: unallocated, unknown, estimated or unpriced.

    Example:  tallybook --as cfo waive 2026-10 unpriced --estimate 12.50 --reason "beta model"
    """
    now_us = app.clock.now_us()
    args = {"period": str(period), "item": item, "estimate": estimate, "reason": reason}
    with app.store.write() as tx:
        link = sign_waiver(
            tx,
            str(period),
            item,
            estimate=estimate,
            reason=reason,
            actor=app.actor,
            now_us=now_us,
        )
        log_command(tx, Command("waive", args, app.actor), now_us, {}, link.id)
    app.answer({"act": link.id}, f"{item} of {period} waived by {app.actor}: {link.id}")


@click.command()
@period_argument
@json_option
@click.pass_obj
def close(app: App, period: Period) -> None:
    """Close PERIOD: run it, check it, issue its statements. Nothing posts into it afterwards.

    Example:  tallybook --as controller close 2026-10
    """
    closed = close_period(app.store, period, issuer=prepare_issue, clock=app.clock, actor=app.actor)
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


@click.command()
@period_argument
@click.option("--reason", required=True, help="Why what was issued has to change.")
@click.option("--approved-by", required=True, help="Who agrees: not the one who acts.")
@json_option
@click.pass_obj
def reopen(app: App, period: Period, reason: str, approved_by: str) -> None:
    """Reopen PERIOD, the last closed one. Its next close issues a corrected statement version.

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


@contextmanager
def _reading_on(app: App, engine: str, master: str | None) -> Iterator[None]:
    """Have sealed events read by an engine while a command works."""
    if engine == "duckdb":
        if master is not None:
            raise WrongUsageError(
                f"--master {master} is for Spark", next_step="write: --engine spark"
            )
        yield
        return
    from tallybook.store.spark import spark_engine  # noqa: PLC0415 - only who asks for it

    opened = spark_engine(master or "local[*]")
    app.store.lake.use(opened)
    try:
        yield
    finally:
        opened.close()


def _item_values(items: tuple[Item, ...]) -> list[dict[str, object]]:
    return [
        {"name": x.name, "ok": x.ok, "evidence": x.evidence, "waived_by": x.waived_by}
        for x in items
    ]


def _checklist_text(items: tuple[Item, ...]) -> str:
    rows = [
        [
            "blocks" if x.blocks else "waived" if x.waived_by and not x.ok else "ok",
            x.name,
            x.evidence,
        ]
        for x in items
    ]
    return table(("", "item", "evidence"), rows)
