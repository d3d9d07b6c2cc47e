"""What budget commands and routes ask of the books: a month's budgets and what was used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tallybook.books.model import Books
from tallybook.budget.ask import requests
from tallybook.budget.burn import Hours
from tallybook.budget.carried import Earlier, used_in, with_all_grants
from tallybook.budget.model import Request
from tallybook.budget.overview import BudgetState, Used, overview
from tallybook.budget.used import used_in_sheet
from tallybook.clock import Clock, Period
from tallybook.live.spend import Spend, spend_so_far
from tallybook.post.basis import latest_books
from tallybook.post.sheet import latest_sheet
from tallybook.store import Store


@dataclass(frozen=True, slots=True)
class BudgetMonth:
    """A month's budgets at an instant.

    ``series`` is what the burn of the running month is made of: hours by use case, their first
    instants, and now; of another month there is none.
    """

    period: Period
    at_us: int
    books: Books
    states: tuple[BudgetState, ...]
    requests: tuple[Request, ...]
    series: tuple[Hours, Sequence[int], int]

    @property
    def currency(self) -> str:
        """Of the amounts."""
        return self.books.org.company.currency


def month_of_budgets(store: Store, clock: Clock, period: Period | None) -> BudgetMonth:
    """The budgets of a month; None is the running one.

    The running month's use is what `live` counts, provisional; that of another month is what its
    last run booked, and before its first run nobody knows it. A month to come has used nothing.

    Raises:
        BooksError: no policy files were applied.
    """
    now_us = clock.now_us()
    with store.read() as tx:
        books, _ = latest_books(tx)
    running = books.calendar.period_of(now_us)
    asked = period or running
    start_us, end_us = books.calendar.bounds_us(asked)
    spend = spend_so_far(store, clock) if asked == running else None
    with store.read() as tx:
        books = with_all_grants(tx, latest_books(tx)[0], asked)
        sheet = None if spend else latest_sheet(tx, str(asked))
        found = tuple(requests(tx, asked))
        earlier = Earlier().used(tx, books, asked, _month_before(spend, asked))
    used: Used | None = spend.month if spend else {} if now_us < start_us else None
    if sheet is not None:
        used = used_in_sheet(sheet, books, asked)
    at_us = min(max(now_us, start_us), end_us - 1)
    waiting = [one for one in found if one.decision is None]
    states = tuple(overview(books, asked, at_us, used, waiting, earlier))
    return BudgetMonth(asked, at_us, books, states, found, _series(spend, at_us))


def _month_before(spend: Spend | None, period: Period) -> Used | None:
    """What `live` still holds of the month before, which may not have been run to its end."""
    if spend is None:
        return None
    return used_in(spend.hours, spend.hour_starts_us(), spend.books, period.previous())


def _series(spend: Spend | None, at_us: int) -> tuple[Mapping, Sequence[int], int]:  # type: ignore[type-arg]
    if spend is None:
        return {}, (), at_us
    return spend.hours, spend.hour_starts_us(), at_us
