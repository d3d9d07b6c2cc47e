"""Budgets that do not reset: what was granted and what was used in the months before.

Such a budget is one amount from its first month on. What approvers granted in any month stands in
all later ones, and what was used in any month is gone. Use of a month is what its last run booked;
of one that has sealed usage and was never run it is not known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from tallybook.books.budgets import Budget
from tallybook.books.model import Books
from tallybook.budget.overview import Used, used_of
from tallybook.budget.used import used_in_sheet
from tallybook.clock import Period
from tallybook.post.basis import with_grants
from tallybook.post.sheet import latest_sheet, sheet_versions
from tallybook.store import Tx
from tallybook.store.grants import grants_of
from tallybook.store.lake import BILLING

_KEPT: Final = 240
_NOBODY: Final[Used] = {}


def carrying(books: Books, period: Period) -> list[Budget]:
    """The budgets of a month that do not reset."""
    return [row for row in books.budgets.budgets if row.carries and row.covers(period)]


def with_all_grants(tx: Tx, books: Books, period: Period) -> Books:
    """The books with what was decided on a month's budgets, and earlier grants of those that carry.

    Args:
        tx: a transaction.
        books: as applied.
        period: the month; a grant of an earlier one stands in it.
    """
    decided = with_grants(tx, books, period)
    earlier = []
    for row in carrying(books, period):
        for month in _between(row.from_period, period):
            earlier += [
                replace(grant, period=period)
                for grant in grants_of(tx, month)
                if (grant.scope, grant.subject) == (row.scope, row.subject)
            ]
    if not earlier:
        return decided
    budgets = decided.budgets
    return replace(decided, budgets=replace(budgets, grants=(*earlier, *budgets.grants)))


class Earlier:
    """What was used in months that were run; a month is read again when it was run again."""

    def __init__(self) -> None:
        self._months: dict[tuple[str, int], Used] = {}

    def used(
        self, tx: Tx, books: Books, period: Period, live: Used | None = None
    ) -> dict[str, int]:
        """What was used before a month of each of its budgets that carry, in pico, by name.

        What nobody knows is left out: a budget with a month whose sealed usage was never run, and
        keys and customers, of which the books have no sums.

        Args:
            tx: a transaction.
            books: with the org chart that says whose a use case is.
            period: the month.
            live: what is known otherwise of the use of the month before, which may not have been
                run to its end; the larger of both counts.
        """
        found: dict[str, int] = {}
        for row in carrying(books, period):
            name, total, is_known = f"{row.scope}:{row.subject}", 0, True
            for month in _between(row.from_period, period):
                at_us = books.calendar.bounds_us(month)[1] - 1
                booked = self._booked(tx, books, month)
                used = None
                if booked is not None:
                    used = used_of(books, row.scope, row.subject, at_us, booked)
                if live is not None and month == period.previous():
                    otherwise = used_of(books, row.scope, row.subject, at_us, live)
                    used = None if used is None else max(used, otherwise or 0)
                is_known = is_known and used is not None
                total += used or 0
            if is_known:
                found[name] = total
        return found

    def _booked(self, tx: Tx, books: Books, month: Period) -> Used | None:
        run = sheet_versions(tx, str(month))
        if run is None:
            return None if _has_usage(tx, month) else _NOBODY
        key = (str(month), run[0])
        if key not in self._months:
            sheet = latest_sheet(tx, str(month))
            assert sheet is not None, "it has a number"
            if len(self._months) >= _KEPT:
                self._months.clear()
            self._months[key] = used_in_sheet(sheet, books, month)
        return self._months[key]


def used_in(
    hours: Mapping[tuple[str, str], tuple[int, ...]], starts_us: range, books: Books, month: Period
) -> Used:
    """What hours say of a month, by team and feature in pico, as far as they go back.

    Args:
        hours: of each use case the cost of each clock hour.
        starts_us: the first instants of those hours.
        books: whose calendar it is.
        month: which.
    """
    start_us, end_us = books.calendar.bounds_us(month)
    places = [place for place, us in enumerate(starts_us) if start_us <= us < end_us]
    return {who: sum(costs[place] for place in places) for who, costs in hours.items()}


def _has_usage(tx: Tx, month: Period) -> bool:
    rows = tx.rows(
        "SELECT DISTINCT kind FROM sealed_file WHERE period = :period AND retired IS NULL",
        period=str(month),
    )
    return any(row.kind in BILLING for row in rows)


def _between(first: Period, before: Period) -> list[Period]:
    found = []
    while first < before:
        found.append(first)
        first = first.next()
    return found
