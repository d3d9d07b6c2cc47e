"""Entering what a cost pool really cost. A later amount replaces an earlier one by a new row."""

from __future__ import annotations

from tallybook.clock import Period
from tallybook.errors import AllocationError, PeriodError
from tallybook.ledger.state import CLOSED, SOFT_CLOSED, period_state
from tallybook.money import parse_amount
from tallybook.post.basis import latest_books
from tallybook.store import Store
from tallybook.store.commands import Command, log_command


def enter_actual(
    store: Store, period: Period, pool: str, amount: str, command: Command, now_us: int
) -> int:
    """Record a pool's actual cost; the next run posts it.

    Returns:
        the amount in nano.

    Raises:
        MoneyError: the amount is none.
        AllocationError: the policy of the period declares no such pool, or the pool is filled by
            pooled evaluation and has no source of its own.
        PeriodError: the period is closed, or soft-closed.
    """
    nano = parse_amount(amount)
    with store.write() as tx:
        state = period_state(tx, str(period))
        if state == CLOSED:
            raise PeriodError(
                f"{period} is closed; nothing posts into it",
                next_step=f"enter the difference in the next period, {period.next()}",
            )
        if state == SOFT_CLOSED:
            raise PeriodError(
                f"{period} is soft-closed; what its pools cost is as it was at the cutoff",
                next_step=f"reopen it, or enter the difference in the next period, {period.next()}",
            )
        declared = {row.id: row for row in latest_books(tx)[0].policy.at(period).pools}
        if pool not in declared:
            raise AllocationError(
                f"the policy of {period} declares no pool {pool!r}",
                next_step=f"name one of: {', '.join(sorted(declared))}; or add it and apply",
            )
        if declared[pool].monthly_nano is None:
            raise AllocationError(
                f"pool {pool!r} has no policy amount: pooled evaluation fills it",
                next_step="give it `monthly` in policy.yaml if it has a cost of its own",
            )
        tx.run(
            "INSERT INTO pool_actual (period, pool, amount_nano, actor, at_us)"
            " VALUES (:period, :pool, :amount_nano, :actor, :at_us)",
            period=str(period),
            pool=pool,
            amount_nano=nano,
            actor=command.actor,
            at_us=now_us,
        )
        log_command(tx, command, now_us, {}, f"{pool} {amount}")
    return nano
