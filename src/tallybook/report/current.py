"""The statements of a period as they stand: issued after a close, a draft before."""

from __future__ import annotations

from dataclasses import replace

from tallybook.clock import Period
from tallybook.errors import PeriodError
from tallybook.ledger.state import CLOSED, SOFT_CLOSED, period_state
from tallybook.post.basis import basis_at
from tallybook.post.frozen import frozen_sheet
from tallybook.report.draft import draft
from tallybook.report.held import held_in
from tallybook.report.issue import dispute_day
from tallybook.report.issued import issued, next_version, totals_of
from tallybook.report.model import StatementSet
from tallybook.store import Store


def statements_of(store: Store, period: Period, version: int | None = None) -> StatementSet:
    """The issued statements of a closed period, or a draft from what is booked.

    Args:
        store: open books.
        period: which.
        version: an issued version; None means the newest, or the draft while open.

    Raises:
        PeriodError: nothing is booked in the period, or it has no such version.
    """
    with store.read() as tx:
        state = period_state(tx, str(period))
        is_closed = state == CLOSED
        if is_closed or version:
            found = issued(tx, str(period), version)
            if found is None:
                raise PeriodError(
                    f"{period} has no statement version {version}",
                    next_step="leave --version out for the newest",
                )
            return found
        sheet = frozen_sheet(tx, str(period))
        if sheet is None:
            raise PeriodError(f"nothing is booked in {period}", next_step=f"tallybook run {period}")
        held, adjustments = held_in(tx, sheet)
        before = totals_of(issued(tx, str(period.previous())))
        version = next_version(tx, str(period))
        until = dispute_day(tx, period)
    # As booked, so by the files that the last run stood on, not by what was applied since.
    basis = basis_at(store, period, sheet.versions)
    made = draft(basis.books, basis.policy, sheet, held, before, version, adjustments, until)
    return replace(made.statements, soft_closed=state == SOFT_CLOSED)
