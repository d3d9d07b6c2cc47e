"""The checklist put together: what usage has to show, and what finance has to show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from tallybook.allocate.allocate import allocate
from tallybook.clock import Period
from tallybook.close.checklist import (
    Item,
    ended_item,
    late_item,
    order_item,
    pools_item,
    posted_item,
    quarantine_item,
    state_items,
)
from tallybook.close.evidence import (
    accruals_item,
    accrued_item,
    adjustments_item,
    disputes_item,
    invoices_item,
    open_items_item,
    suspects_item,
    suspense_item,
)
from tallybook.close.late import late_usage
from tallybook.close.open_items import open_items
from tallybook.close.waive import signed_for
from tallybook.errors import PeriodError
from tallybook.ledger.state import CLOSED, OPEN, period_state
from tallybook.post.basis import Basis, latest_books
from tallybook.post.compute import month_of, pool_actuals
from tallybook.post.late import landing_period, stale_periods
from tallybook.post.run import entries_due
from tallybook.post.sheet import Sheet, Versions
from tallybook.reconcile.accrue import accrual_due
from tallybook.store import Store, Tx

Asked = Callable[[Tx, Period], Sequence[Item]]
"""What rooms beside the line have to say of a month that closes, such as undecided budgets.

The close may not import them, so whoever asks for the close hands it in."""


def nothing_asked(_tx: Tx, _period: Period) -> Sequence[Item]:
    """Nothing but the close's own items."""
    return ()


def usage_items(
    store: Store,
    tx: Tx,
    basis: Basis,
    sheet: Sheet,
    now_us: int,
    *,
    shut: bool = False,
    just_posted: bool = False,
) -> tuple[Item, ...]:
    """What usage has to show: it is over, posted, known and owned, or signed for.

    Args:
        store: open books.
        tx: a transaction.
        basis: what the month stands on.
        sheet: its cost sheet.
        now_us: the time.
        shut: months before it need take no usage only, and need not be closed.
        just_posted: this transaction posted what was due, so that it need not be worked out again.
    """
    period = str(basis.period)
    actuals = pool_actuals(tx, period, sheet.versions.pools)
    missing = [
        pool.id
        for pool in basis.policy.pools
        if pool.monthly_nano is not None and pool.id not in actuals
    ]
    items = (
        ended_item(basis.period, basis.end_us, now_us),
        order_item(open_before(tx, period, shut=shut)),
        posted_item(0 if just_posted else _due(tx, basis, sheet)),
        _late_item(store, tx, period),
        *state_items(basis.period, basis.policy, sheet.lines),
        suspects_item(
            tx,
            basis.period,
            basis.start_us,
            basis.end_us,
            sum(line.calls for line in sheet.lines),
            basis.policy.closing,
        ),
        pools_item(missing),
        quarantine_item(int(tx.scalar("SELECT COUNT(*) FROM quarantine") or 0)),
    )
    return signed_for(tx, period, items)


def finance_items(tx: Tx, basis: Basis, sheet: Sheet, now_us: int) -> tuple[Item, ...]:
    """What finance has to show: invoices, suspense, accruals, disputes, adjusting entries."""
    period = basis.period
    # Limits of a close are those of today: no amount of the month depends on them.
    closing = latest_books(tx)[0].policy.at(period).closing
    items = open_items(tx, basis.books.calendar, now_us, closing.open_items, sheet.period)
    found = (
        accrued_item(accrual_due(tx, basis, sheet.number), period),
        invoices_item(tx, period, closing),
        suspense_item(tx, period, closing),
        accruals_item(items, period),
        open_items_item(items, period, closing),
        disputes_item(tx),
        adjustments_item(tx, period),
    )
    return signed_for(tx, sheet.period, found)


def open_before(tx: Tx, period: str, *, shut: bool = False) -> list[str]:
    """Earlier months with usage or postings that are not closed; with ``shut``, that take usage."""
    rows = tx.rows(
        "SELECT DISTINCT period FROM sealed_file WHERE period < :period"
        " UNION SELECT DISTINCT period FROM chain WHERE kind = 'entry' AND period < :period"
        " ORDER BY period",
        period=period,
    )
    states = {str(row.period): period_state(tx, str(row.period)) for row in rows}
    return [name for name, state in states.items() if (state == OPEN if shut else state != CLOSED)]


def refuse_blocked(period: Period, items: Sequence[Item], act: str) -> None:
    """Refuse what items of the checklist stop.

    Raises:
        PeriodError: each of them with its evidence and what to do.
    """
    blocking = [item for item in items if item.blocks]
    if blocking:
        lines = "\n".join(f"  {item.name}: {item.evidence}" for item in blocking)
        steps = "\n        ".join(item.next_step for item in blocking if item.next_step)
        raise PeriodError(f"{period} cannot {act}, nothing changed:\n{lines}", next_step=steps)


def _due(tx: Tx, basis: Basis, sheet: Sheet) -> int:
    """How much that is known is not booked; of a soft-closed month, of what it froze."""
    period = str(basis.period)
    actuals = pool_actuals(tx, period, sheet.versions.pools)
    allocation = allocate(month_of(basis, sheet.lines, actuals, sheet.uses))
    due = len(entries_due(tx, basis, allocation, sheet.number))
    if period_state(tx, period) != OPEN:
        return due
    waiting = int(tx.scalar("SELECT COUNT(*) FROM inbox") or 0)
    return due + waiting + (_without_late(sheet) != basis.versions)


def _without_late(sheet: Sheet) -> Versions:
    """What late usage was posted into a period does not depend on the period's own basis."""
    return replace(sheet.versions, late="")


def _late_item(store: Store, tx: Tx, period: str) -> Item:
    is_shut = period_state(tx, period) != OPEN
    waiting = {late.period: late.waiting for late in late_usage(tx)}
    stale = {
        name: waiting.get(name, 0)
        for name in stale_periods(store, tx)
        if name < period or (is_shut and name == period)
    }
    return late_item(stale, landing_period(tx), is_shut=is_shut)
