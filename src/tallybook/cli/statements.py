"""`statement`: what a team is charged or shown."""

from __future__ import annotations

from pathlib import Path

import click

from tallybook.cli.app import App, note
from tallybook.cli.options import json_option, period_argument
from tallybook.clock import Period
from tallybook.report.current import statements_of
from tallybook.report.files import FORMATS, render, write_files


@click.command()
@period_argument
@click.option("--team", default="", help="One team; without it, all teams and the summary.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("--version", type=int, help="An earlier issued version.")
@click.option("--out", type=click.Path(path_type=Path), help="Write files into this folder.")
@json_option
@click.pass_obj
def statement(
    app: App, period: Period, team: str, form: str, version: int | None, out: Path | None
) -> None:
    """Show the statements of PERIOD: issued ones after the close, a draft before.

    Examples:  tallybook statement 2026-10 --team support
    tallybook statement 2026-10 --format html --out pages
    """
    form = "json" if app.as_json else form
    issue = statements_of(app.store, period, version)
    if out:
        for path in write_files(issue, form, out, team):
            note(f"wrote {path}")
        return
    click.echo(render(issue, form, team))
