"""`compare`: the four chargeback models over the same month."""

from __future__ import annotations

import json
from pathlib import Path

import click

from tallybook.allocate.compare import compare as compare_models
from tallybook.allocate.recommend import recommend
from tallybook.allocate.subsidy import subsidies
from tallybook.cli.app import App, note
from tallybook.cli.options import json_option, period_argument
from tallybook.clock import Period
from tallybook.post.breakdown import month_breakdown
from tallybook.report.comparison import comparison_json, comparison_text, comparison_view
from tallybook.report.html import compare_html

_SUFFIXES = {"text": "txt", "html": "html", "json": "json"}


@click.command()
@period_argument
@click.option(
    "--format", "form", type=click.Choice(("text", "html")), default="text", show_default=True
)
@click.option("--out", type=click.Path(path_type=Path), help="Write a file into this folder.")
@json_option
@click.pass_obj
def compare(app: App, period: Period, form: str, out: Path | None) -> None:
    """Show who would bear PERIOD under each of the four models. Nothing is posted.

    Recommends one of them with its reasons: the size of the bill, how the company budgets (stated
    once in policy.yaml), how different the use cases are.

    Examples:  tallybook compare 2026-10
    tallybook compare 2026-10 --format html --out pages
    """
    form = "json" if app.as_json else form
    read = month_breakdown(app.store, period)
    found = compare_models(read.month)
    causes = subsidies(read.month, read.usage)
    org = read.basis.books.org
    budgeting = read.policy.budgeting_at(period)
    advised = recommend(read.month, found, budgeting, org.company.currency)
    view = comparison_view(found, causes, advised, org, period)
    if form == "json":
        text = json.dumps(comparison_json(found, view), indent=2, ensure_ascii=False)
    else:
        text = compare_html(view) if form == "html" else comparison_text(view)
    if out:
        out.mkdir(parents=True, exist_ok=True)
        path = out / f"compare-{period}.{_SUFFIXES[form]}"
        path.write_text(text if text.endswith("\n") else text + "\n", encoding="utf-8")
        note(f"wrote {path}")
    else:
        click.echo(text, nl=not text.endswith("\n"))
