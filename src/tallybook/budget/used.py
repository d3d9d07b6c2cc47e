"""What counts against budgets in a month that was run: usage at the rate card, by payer."""

from __future__ import annotations

from collections import defaultdict

from tallybook.books.model import Books
from tallybook.budget.overview import Used
from tallybook.clock import Period
from tallybook.post.sheet import Sheet
from tallybook.report.lines import terms_of


def used_in_sheet(sheet: Sheet, books: Books, period: Period) -> Used:
    """Cost at the rate card in pico by team and feature, without what the quality pool pays."""
    terms = terms_of(books, books.policy.at(period), period)
    used: dict[tuple[str, str], int] = defaultdict(int)
    for line in sheet.lines:
        if not terms.is_pooled(line):
            used[line.owner.team, line.owner.feature] += line.card_pico
    return dict(used)
