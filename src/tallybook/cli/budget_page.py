"""The budgets of the running month as a page: a picture for each, and the figures beside it."""

from __future__ import annotations

from collections.abc import Sequence

from tallybook.budget.burn import Burn
from tallybook.budget.picture import pictures
from tallybook.cli.budget_state import BudgetMonth
from tallybook.clock import format_instant
from tallybook.report.html import page

_MINUTE = len("12:53")


def budgets_html(month: BudgetMonth, found: Sequence[Burn]) -> str:
    """One self-contained file, in light and dark, for the screen and for paper."""
    company = month.books.org.company
    day, _, time = format_instant(month.at_us).partition("T")
    return page(
        "budgets.html",
        company=company.name,
        simulated=company.simulated,
        currency=month.currency,
        period_label=month.period.label(),
        at=f"{day} {time[:_MINUTE]} UTC",
        pictures=pictures(month.books, found, *month.series),
        running_title=f"{company.name}  Budgets {month.period}",
    )
