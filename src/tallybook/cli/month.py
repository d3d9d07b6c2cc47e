"""`pool` and `run`: a month's work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from tallybook.cli.app import App
from tallybook.cli.options import json_option, period_argument
from tallybook.clock import Period
from tallybook.errors import WrongUsageError
from tallybook.post.pool import enter_actual
from tallybook.post.run import run as run_period
from tallybook.store.commands import Command


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
