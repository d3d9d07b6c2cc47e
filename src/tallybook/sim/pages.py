"""The pages of the demo: statements of each month and model, the ledger's own papers, one entry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tallybook.allocate.compare import compare
from tallybook.allocate.recommend import recommend
from tallybook.allocate.subsidy import subsidies
from tallybook.clock import Period
from tallybook.close.late import late_usage
from tallybook.ledger.balance import trial_balance
from tallybook.ledger.journal import entries
from tallybook.meter.worklist import quarantined_count
from tallybook.post.breakdown import month_breakdown
from tallybook.report import figures
from tallybook.report.beancount import beancount_text
from tallybook.report.comparison import comparison_view
from tallybook.report.current import statements_of
from tallybook.report.files import write_files
from tallybook.report.graph.month import month_graph
from tallybook.report.html import HERE as REPORT
from tallybook.report.html import compare_html, graph_html
from tallybook.report.model import StatementSet
from tallybook.report.trial_balance import trial_balance_text
from tallybook.sim import company, tour
from tallybook.sim.shapes import SHAPES
from tallybook.sim.what_if import what_ifs
from tallybook.store import Store

TITLE = "Northwind Robotics, simulated"
COMPARE, GRAPH, JOURNAL = "compare.html", "graph.html", "northwind.beancount"


@dataclass(frozen=True, slots=True)
class Pages:
    """What was written: the entry page, the statements by month, and a line worth explaining."""

    entry: Path
    months: Mapping[str, StatementSet]
    line: str


def write_pages(store: Store, out: Path, home: Path, seed: int) -> Pages:
    """Write every page of the demo into a folder.

    Args:
        store: the books after the company's months.
        out: the folder; files of the same names are replaced.
        home: where the books are, for the commands that the entry page names.
        seed: the seed, named on the entry page.
    """
    months = {period: statements_of(store, Period.parse(period)) for period in company.MONTHS}
    for period, issue in months.items():
        write_files(issue, "html", out / period)
    last = months[company.CLOSED_MONTHS[-1]]
    supposed = what_ifs(store, Period.parse(last.period))
    for model, issue in supposed.items():
        write_files(issue, "html", out / "models" / model)
    _write_compare(store, out, last.period)
    flow = month_graph(store, Period.parse(last.period))
    (out / GRAPH).write_text(graph_html(flow), encoding="utf-8")
    _write_ledger(store, out)
    line = tour.example_line(last)
    entry = out / "index.html"
    commands = tour.commands(str(home), last.period, line)
    page = _entry(list(months.values()), supposed, _facts(store), commands, seed)
    entry.write_text(page, encoding="utf-8")
    return Pages(entry, months, line)


def _write_compare(store: Store, out: Path, period: str) -> None:
    read = month_breakdown(store, Period.parse(period))
    causes = subsidies(read.month, read.usage)
    org = read.basis.books.org
    month = Period.parse(period)
    found = compare(read.month)
    budgeting = read.policy.budgeting_at(month)
    advised = recommend(read.month, found, budgeting, org.company.currency)
    view = comparison_view(found, causes, advised, org, month)
    (out / COMPARE).write_text(compare_html(view), encoding="utf-8")


def _write_ledger(store: Store, out: Path) -> None:
    with store.read() as tx:
        for period in company.MONTHS:
            title = f"{TITLE}: trial balance {period}"
            text = trial_balance_text(trial_balance(tx, period), "USD", title)
            (out / f"trial-balance-{period}.txt").write_text(text, encoding="utf-8")
        text = beancount_text(entries(tx), "USD", TITLE)
    (out / JOURNAL).write_text(text, encoding="utf-8")


def _facts(store: Store) -> tour.Facts:
    with store.read() as tx:
        late = sum(found.events for found in late_usage(tx))
        return tour.Facts(late=late, quarantined=quarantined_count(tx))


def _entry(
    months: Sequence[StatementSet],
    supposed: Mapping[str, StatementSet],
    facts: tour.Facts,
    commands: Sequence[tuple[str, str]],
    seed: int,
) -> str:
    *closed, opened = months
    last = closed[-1]
    return (
        _templates()
        .get_template("demo.html")
        .render(
            title=TITLE,
            running_title="Northwind Robotics simulated",
            seed=seed,
            months=months,
            calls=[tour.calls_of(issue) for issue in months],
            last=last,
            providers=len({shape.provider for shape in SHAPES}),
            titles=tour.MODEL_TITLES,
            supposed=supposed,
            ways=tour.ways(last, supposed),
            twins=tour.twins(last, supposed["real_cost"]),
            events=tour.events(closed, opened, facts),
            commands=commands,
            compare=COMPARE,
            graph=GRAPH,
            journal=JOURNAL,
        )
    )


def _templates() -> Environment:
    folders = [Path(__file__).parent / "templates", REPORT / "templates", REPORT / "static"]
    templates = Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters |= {
        "money": lambda cents: figures.money(cents).replace("-", "\N{MINUS SIGN}"),
        "count": figures.count,
        "tokens": figures.tokens,
        "css_text": str,  # the running title is ours: letters and spaces only
    }
    return templates
