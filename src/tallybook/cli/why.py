"""`why-different`: anyone's rival figure, explained against ours."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from tallybook.cli.app import App, note, parse_period
from tallybook.cli.options import json_option
from tallybook.errors import WrongUsageError
from tallybook.post.basis import latest_books
from tallybook.report.differing import bridge_html
from tallybook.report.why.bridge import bridge
from tallybook.report.why.claim import Beside, claim_of
from tallybook.report.why.model import BASES
from tallybook.report.why.view import bridge_text, bridge_value


@click.command("why-different")
@click.argument("figure", metavar="FILE")
@click.argument("period", required=False)
@click.option("--scope", multiple=True, metavar="NAME=VALUE", help="What the figure is about.")
@click.option("--timezone", default="", help="Of its days; else as its rows say, or the company's.")
@click.option("--from", "first_day", default="", metavar="DAY", help="First day of the figure.")
@click.option("--to", "last_day", default="", metavar="DAY", help="Last day of the figure.")
@click.option("--by", type=click.Choice(BASES), help="Whose calls a team's are; else what fits.")
@click.option("--every-part", is_flag=True, help="All parts of each step, not the largest only.")
@click.option("--format", "form", type=click.Choice(("text", "html")), default="text")
@click.option("--out", type=click.Path(path_type=Path), help="Write a page into this folder.")
@json_option
@click.pass_obj
def why_different(
    app: App,
    figure: str,
    period: str | None,
    scope: tuple[str, ...],
    timezone: str,
    first_day: str,
    last_day: str,
    by: str | None,
    form: str,
    out: Path | None,
    *,
    every_part: bool,
) -> None:
    """Explain why a rival FILE, or one amount, differs from our total of PERIOD.

    FILE is a spreadsheet (.xlsx, .csv), a dashboard's export or a figure as JSON. The bridge adds
    up exactly: what is no usage, whose calls, scope, days and time zone, tokens and calls, price,
    tax and credits; what is left is unexplained. Exit 1 if something is.

    Examples:  tallybook why-different dashboard.csv 2026-10
    tallybook why-different 1204.18 2026-10 --scope team=support --by executor
    tallybook why-different costs.tsv --timezone America/Los_Angeles --json
    tallybook why-different theirs.xlsx 2026-10 --format html --out pages
    """
    with app.store.read() as tx:
        company = latest_books(tx)[0].org.company
    beside = Beside([_pair(told) for told in scope], timezone, first_day, last_day, by or "")
    month = parse_period(period) if period else None
    asked = claim_of(figure, month, beside, company.timezone, company.currency)
    found = bridge(app.store, asked.period, asked.claim)
    found = replace(found, notes=(*asked.notes, *found.notes))
    if form == "html" and not app.as_json:
        _write(bridge_html(found), out, f"why-{asked.period}.html")
    else:
        app.answer(bridge_value(found), bridge_text(found, every_part=every_part))
    click.get_current_context().exit(1 if found.unexplained_pico else 0)


def _write(page: str, out: Path | None, name: str) -> None:
    if out is None:
        click.echo(page, nl=False)
        return
    out.mkdir(parents=True, exist_ok=True)
    (out / name).write_text(page, encoding="utf-8")
    note(f"wrote {out / name}")


def _pair(told: str) -> tuple[str, str]:
    name, found, value = told.partition("=")
    if not found or not value:
        raise WrongUsageError(f"{told!r} is no scope", next_step="write it as team=support")
    return name.strip(), value.strip()
