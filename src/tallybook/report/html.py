"""Statements, summary and comparison as pages: one self-contained file each.

No script, no font and no address outside the file: a page that is archived today reads the same in
ten years. Templates escape everything; the style sheet is part of the page.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tallybook.allocate.compare import CURRENT
from tallybook.report import figures
from tallybook.report.budget_rows import budget_texts
from tallybook.report.chart import charge_bar, comparison_panels
from tallybook.report.graph.model import GraphView
from tallybook.report.graph.picture import graph_picture
from tallybook.report.graph.text import because, states_remark
from tallybook.report.graph.view import cuts
from tallybook.report.model import ComparisonView, StatementSet
from tallybook.report.outline import outline

HERE = Path(__file__).parent
PLAIN_IN_CSS = re.compile(r"[^A-Za-z0-9 ]")

STATES = (
    ("unallocated", "calls without an owner"),
    ("unpriced", "usage of a model without a price"),
    ("estimated", "usage that was not reported and had to be estimated"),
    ("unknown", "calls whose usage nobody knows"),
)


def statement_file(team: str) -> str:
    """The name under which a statement's page lies beside the summary: ``support.html``."""
    return quote(team, safe="") + ".html"


def statement_html(issue: StatementSet, team: str) -> str:
    """The statement of one team as a page.

    Raises:
        LedgerError: the team has no statement in the set.
    """
    statement = issue.statement(team)
    return page(
        "statement.html",
        issue=issue,
        statement=statement,
        plan=outline(issue, statement),
        bar=charge_bar(statement, issue.currency),
        budgets=budget_texts(statement),
        running_title=f"{issue.company}  {issue.number(team)}",
    )


def summary_html(issue: StatementSet, link: Callable[[str], str] = statement_file) -> str:
    """All teams, the central lines and the tie as a page.

    Args:
        issue: the statements of a period.
        link: address of a team's own page; must come percent-encoded and relative.
    """
    ranked = sorted(issue.central, key=lambda line: line.kind != "unowned")
    return page(
        "summary.html",
        issue=issue,
        central=ranked,
        states=[(name, words, getattr(issue, name)) for name, words in STATES],
        link=link,
        running_title=f"{issue.company}  S-{issue.period} v{issue.version}",
    )


def compare_html(view: ComparisonView) -> str:
    """The models side by side as a page: who would bear what, how fairly, and what saving pays."""
    by_model = {column.model: column for column in view.columns}
    return page(
        "compare.html",
        view=view,
        now=by_model[CURRENT],
        then=by_model[view.advice.model],
        panels=comparison_panels(view),
        names=dict(view.teams),
        running_title=f"Four models, {view.period_label}",
    )


def graph_html(view: GraphView) -> str:
    """A month's flow between teams as a page: picture, three cuts, every flow."""
    return page(
        "graph.html",
        view=view,
        picture=graph_picture(view),
        alone=False,
        cuts=cuts(view),
        names=dict(view.teams),
        because=because,
        remark=states_remark(view),
        running_title=f"Who caused it, {view.period_label}",
    )


def graph_svg(view: GraphView) -> str:
    """The picture alone, as an SVG file that stands by itself, in light and dark."""
    title = f"{view.company}: who caused it, who ran it, who pays, {view.period_label}"
    return page("graph.svg", picture=graph_picture(view), alone=True, title=title)


@cache
def _templates() -> Environment:
    templates = Environment(
        loader=FileSystemLoader([HERE / "templates", HERE / "static"]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters |= {
        "money": _minus(figures.money),
        "signed": _minus(figures.signed_money),
        "minus": _with_minus,
        "exact": lambda pico: _with_minus(figures.exact(pico)),
        "count": figures.count,
        "tokens": figures.tokens,
        "day": figures.day,
        "short": figures.short_hash,
        "css_text": _css_text,
    }
    templates.globals |= {
        "percent": figures.percent,
        "whole_percent": figures.whole_percent,
        "month_before": figures.month_before,
    }
    return templates


def page(template: str, **values: object) -> str:
    """A page of a template in `templates`, with the filters and the style that all pages share."""
    return _templates().get_template(template).render(values)


def _minus(spell: Callable[[int], str]) -> Callable[[int], str]:
    return lambda cents: _with_minus(spell(cents))


def _with_minus(text: str) -> str:
    """A true minus sign is as wide as a figure, so columns stay aligned."""
    return text.replace("-", "\N{MINUS SIGN}")


def _css_text(text: str) -> str:
    """Text for a CSS string: all but letters, digits and spaces becomes an escape."""
    return PLAIN_IN_CSS.sub(lambda found: f"\\{ord(found[0]):06x}", text)
