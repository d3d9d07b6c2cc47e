"""`statement` and `rebuild`: what a team is charged or shown, and the same made again."""

from __future__ import annotations

from pathlib import Path

import click

from tallybook.cli.app import App, note, parse_period, table
from tallybook.cli.options import json_option, period_argument
from tallybook.clock import Period
from tallybook.errors import WrongUsageError
from tallybook.report.current import statements_of
from tallybook.report.files import FORMATS, render, write_files
from tallybook.report.handoff.books import write_workbook
from tallybook.report.rebuild import Rebuilt
from tallybook.report.rebuild import rebuild as rebuild_statements

WORKBOOK = "xlsx"


@click.command()
@period_argument
@click.option("--team", default="", help="One team; without it, all teams and the summary.")
@click.option(
    "--format", "form", type=click.Choice((*FORMATS, WORKBOOK)), default="text", show_default=True
)
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
    tallybook statement 2026-10 --format xlsx --out papers
    """
    form = "json" if app.as_json else form
    issue = statements_of(app.store, period, version)
    if form == WORKBOOK:
        if out is None:
            raise WrongUsageError(
                "a workbook is a file",
                next_step=f"name a folder: tallybook statement {period} --format xlsx --out papers",
            )
        note(f"wrote {write_workbook(app.store, issue, out, team)}")
        return
    if out:
        for path in write_files(issue, form, out, team):
            note(f"wrote {path}")
        return
    click.echo(render(issue, form, team))


@click.command()
@click.argument("period", required=False, default="")
@click.option("--compare", is_flag=True, help="Exit 1 if one is not what was issued, to the byte.")
@json_option
@click.pass_context
def rebuild(ctx: click.Context, period: str, *, compare: bool) -> None:
    """Make every issued statement again from the sealed events and the versions its close names.

    Examples:  tallybook rebuild --compare
    tallybook rebuild 2026-10 --compare --json
    """
    app: App = ctx.obj
    found = rebuild_statements(app.store, parse_period(period) if period else None)
    app.answer([_rebuilt(one, compare=compare) for one in found], _rebuilt_text(found, compare))
    ctx.exit(1 if compare and not all(one.same for one in found) else 0)


def _rebuilt(one: Rebuilt, *, compare: bool) -> dict[str, object]:
    value = {"period": one.period, "version": one.version, "body_sha256": one.body_sha256}
    return {**value, "same": one.same, "difference": one.difference} if compare else value


def _rebuilt_text(found: list[Rebuilt], compare: bool) -> str:  # noqa: FBT001 - the option's value
    rows = [
        [
            *(["same" if one.same else "DIFFERS"] if compare else []),
            f"S-{one.period} v{one.version}",
            one.body_sha256,
            *([one.difference] if compare else []),
        ]
        for one in found
    ]
    heads = ("", "statements", "body", "first difference") if compare else ("statements", "body")
    return table(heads, rows) if rows else "no statement was issued yet"
