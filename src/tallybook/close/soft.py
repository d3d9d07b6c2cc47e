"""The soft close: usage of the month is cut off, finance goes on posting until the close.

Between the two a month takes finance entries only: adjusting entries, true-ups, accruals. Usage
that comes after the cutoff is late, as after a close: it posts into the first open month and names
this one. So figures that finance works on do not move under its hands.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tallybook.clock import Clock, Period
from tallybook.close.checklist import Item, ended_item, order_item
from tallybook.close.duties import require_duty
from tallybook.close.items import open_before, refuse_blocked, usage_items
from tallybook.ledger.append import append_act
from tallybook.ledger.model import Act, ActKind
from tallybook.ledger.state import OPEN, period_state
from tallybook.post.basis import latest_books
from tallybook.post.run import Fresh, on_fresh_lines, post_lines
from tallybook.post.sheet import latest_sheet
from tallybook.store import Store, Tx, faults
from tallybook.store.commands import Command, log_command


@dataclass(frozen=True, slots=True)
class SoftClosed:
    """What a soft close did."""

    period: str
    checklist: tuple[Item, ...]
    act: str


def soft_close(
    store: Store, period: Period, *, clock: Clock, actor: str, reason: str = ""
) -> SoftClosed:
    """Cut off the usage of a month: run it, check it, and take finance entries only from then on.

    Args:
        store: open books.
        period: a month that has ended; months before it are closed or soft-closed.
        clock: the time.
        actor: who does it.
        reason: why now, if somebody wants to say so.

    Raises:
        PeriodError: it is not open, usage items of its checklist block, or the actor may not close;
            nothing changed.
    """
    with store.read() as tx:
        role = require_duty(tx, actor, "controller", f"soft-close {period}")
        if period_state(tx, str(period)) == OPEN:
            end_us = latest_books(tx)[0].calendar.bounds_us(period)[1]
            before = open_before(tx, str(period), shut=True)
            early = (ended_item(period, end_us, clock.now_us()), order_item(before))
            refuse_blocked(period, early, "be soft-closed")

    def finish(tx: Tx, fresh: Fresh) -> SoftClosed:
        now_us = clock.now_us()
        post_lines(tx, fresh, actor, now_us)
        sheet = latest_sheet(tx, str(period))
        assert sheet is not None, "a run keeps a sheet"
        items = usage_items(store, tx, fresh.basis, sheet, now_us, shut=True, just_posted=True)
        refuse_blocked(period, items, "be soft-closed")
        basis = replace(fresh.basis, versions=sheet.versions)
        act = Act(
            kind=ActKind.SOFT_CLOSE,
            period=str(period),
            text=reason.strip() or "Usage is cut off; finance entries only",
            details={
                "checklist": {item.name: item.evidence for item in items},
                "waived": {item.name: item.waived_by for item in items if item.waived_by},
                "manifest": basis.versions.manifest,
                "role": role,
            },
            versions=basis.versions.as_dict(),
        )
        link = append_act(tx, act, actor, now_us)
        command = Command("close", {"period": str(period), "soft": True, "reason": reason}, actor)
        log_command(tx, command, now_us, basis.versions.as_dict(), link.id)
        faults.reached("close.cut_off")
        return SoftClosed(str(period), items, link.id)

    return on_fresh_lines(store, period, finish)
