"""`demo`: a made-up company's months, end to end, in books of their own."""

from __future__ import annotations

from pathlib import Path

import click

from tallybook.cli.app import App, note
from tallybook.cli.options import json_option
from tallybook.money import format_cents
from tallybook.report.model import StatementSet
from tallybook.sim import tour
from tallybook.sim.company import CLOSED_MONTHS
from tallybook.sim.demo import Demo
from tallybook.sim.demo import demo as live

OUT = Path("out") / "demo"


@click.command()
@click.option("--seed", default=7, show_default=True, help="The same seed, the same statements.")
@click.option(
    "--out", type=click.Path(path_type=Path), default=OUT, show_default=True, help="For the pages."
)
@click.option(
    "--home", type=click.Path(path_type=Path), help="For the books.  [default: OUT/books]"
)
@json_option
@click.pass_context
def demo(ctx: click.Context, seed: int, out: Path, home: Path | None) -> None:
    """Live three months of a SIMULATED company: calls, prices, owners, closes, pages.

    Example:  tallybook demo --out out/demo
    """
    app: App = ctx.obj
    home = home or ctx.find_root().params.get("home") or out / "books"
    note("SIMULATED: Northwind Robotics does not exist. Three months of it, in new books:")
    done = live(out, home, seed, lambda line: note(f"  {line}"))
    app.answer(_value(done), _text(done))


def _value(done: Demo) -> dict[str, object]:
    return {
        "simulated": True,
        "entry": str(done.pages.entry),
        "home": str(done.home),
        "books": str(done.home / "books"),
        "events": str(done.events),
        "line": done.pages.line,
        "months": {
            period: {
                "status": issue.status,
                "charged_total": format_cents(issue.charged_total_cents),
                "central": format_cents(issue.central_total_cents),
                "ledger_cost": format_cents(issue.ledger_cost_cents),
                "body_sha256": issue.body_sha256,
            }
            for period, issue in done.pages.months.items()
        },
    }


def _text(done: Demo) -> str:
    totals = "\n".join(_total(issue) for issue in done.pages.months.values())
    tried = tour.commands(str(done.home), CLOSED_MONTHS[-1], done.pages.line)
    commands = "\n".join(f"  {command}\n      {shows}" for command, shows in tried)
    return f"""\
SIMULATED: no company, no provider, no money behind these figures.

Look at
  {done.pages.entry}  (everything starts here)
  {done.home / "books"}  the policy files: read and change them
  {done.events}  the calls, as they were ingested

Charged + central = ledger cost
{totals}

Try
{commands}"""


def _total(issue: StatementSet) -> str:
    charged, central, cost = (
        format_cents(cents, grouped=True)
        for cents in (
            issue.charged_total_cents,
            issue.central_total_cents,
            issue.ledger_cost_cents,
        )
    )
    sums = f"{charged:>10} + {central:>9} = {cost:>10} {issue.currency}"
    return f"  {issue.period}  {sums}, {issue.status}"
