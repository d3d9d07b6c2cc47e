"""Reopening: an act of two people, last period first. What was issued stays readable.

A soft-closed period is reopened in the same way. The roll of a year that posted into the period is
reversed with it; across a year that is closed nothing is reopened: its months are later ones.
"""

from __future__ import annotations

from tallybook.clock import Period
from tallybook.close.duties import require_another, require_duty
from tallybook.close.roll import unroll
from tallybook.errors import PeriodError
from tallybook.ledger.append import append_act
from tallybook.ledger.model import Act, ActKind, Link
from tallybook.ledger.state import SOFT_CLOSED, last_turn, period_state
from tallybook.post.late import shut_periods
from tallybook.store import Tx
from tallybook.store.commands import Command, log_command


def reopen(
    tx: Tx, period: Period, *, reason: str, approved_by: str, actor: str, now_us: int
) -> Link:
    """Reopen a shut period; its next close issues the next version of its statements.

    Args:
        tx: a write transaction.
        period: the last closed or soft-closed one.
        reason: why.
        approved_by: who agrees; not the one who acts.
        actor: who acts.
        now_us: when.

    Raises:
        PeriodError: the period is open, a later one is shut, the reason is missing, nobody else
            approves, or the two may not.
    """
    name = str(period)
    state, turn = period_state(tx, name), last_turn(tx, name)
    if turn is None or name not in shut_periods(tx):
        raise PeriodError(f"{name} is open; there is nothing to reopen")
    later = [other for other in shut_periods(tx) if other > name]
    if later:
        raise PeriodError(
            f"{name} cannot be reopened while {', '.join(later)} is {period_state(tx, later[-1])}",
            next_step=f"reopen the last first: tallybook reopen {later[-1]}",
        )
    if not reason.strip():
        raise PeriodError("a reopening needs a reason", next_step="give one with --reason")
    require_another(actor, approved_by, "reopening", "--approved-by")
    role = require_duty(tx, actor, "controller", f"reopen {name}")
    require_duty(tx, approved_by, "approver", f"approve the reopening of {name}")
    details: dict[str, object] = {
        "approved_by": approved_by.strip(),
        "close": turn.id,
        "role": role,
    }
    if state != SOFT_CLOSED:
        details["statement_version"] = int(turn.details["statement_version"])
    link = append_act(tx, Act(ActKind.REOPEN, name, reason.strip(), details), actor, now_us)
    unroll(tx, name, actor, now_us)
    args = {"period": name, "reason": reason, "approved_by": approved_by}
    log_command(tx, Command("reopen", args, actor), now_us, {}, link.id)
    return link
