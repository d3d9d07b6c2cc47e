"""`graph`: a month's flow between teams."""

from __future__ import annotations

import json
from pathlib import Path

import click

from tallybook.cli.app import App, note
from tallybook.cli.options import json_option, period_argument
from tallybook.clock import Period
from tallybook.report.graph.month import month_graph
from tallybook.report.graph.text import graph_text
from tallybook.report.graph.view import graph_json
from tallybook.report.html import graph_html, graph_svg

_SUFFIXES = {"text": "txt", "html": "html", "svg": "svg", "json": "json"}


@click.command()
@period_argument
@click.option(
    "--format",
    "form",
    type=click.Choice(("text", "html", "svg")),
    default="text",
    show_default=True,
)
@click.option("--out", type=click.Path(path_type=Path), help="Write a file into this folder.")
@json_option
@click.pass_obj
def graph(app: App, period: Period, form: str, out: Path | None) -> None:
    """Show who caused PERIOD, who ran it and who pays, from team to team, as its last run has it.

    The three cuts add up to the same total: usage at rate card. What is owed at transfer prices
    stands beside it.

    Examples:  tallybook graph 2026-10
    tallybook graph 2026-10 --json
    tallybook graph 2026-10 --format html --out pages
    tallybook graph 2026-10 --format svg --out pages
    """
    form = "json" if app.as_json else form
    view = month_graph(app.store, period)
    if form == "json":
        text = json.dumps(graph_json(view), indent=2, ensure_ascii=False)
    else:
        text = {"text": graph_text, "html": graph_html, "svg": graph_svg}[form](view)
    text = text if text.endswith("\n") else text + "\n"
    if out:
        out.mkdir(parents=True, exist_ok=True)
        path = out / f"graph-{period}.{_SUFFIXES[form]}"
        path.write_text(text, encoding="utf-8")
        note(f"wrote {path}")
    else:
        click.echo(text, nl=False)
