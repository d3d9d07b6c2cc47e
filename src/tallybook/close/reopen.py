"""Reopening: an act of two people, last period first. What was issued stays readable."""

from __future__ import annotations

from tallybook.clock import Period
from tallybook.errors import PeriodError
from tallybook.ledger.append import append_act
from tallybook.ledger.model import Act, ActKind, Link
from tallybook.ledger.state import standing_close
from tallybook.post.late import closed_periods
from tallybook.store import Tx
from tallybook.store.commands import Command, log_command


def reopen(
    tx: Tx, period: Period, *, reason: str, approved_by: str, actor: str, now_us: int
) -> Link:
    """Reopen a closed period; its next close issues the next version of its statements.

    Args:
        tx: a write transaction.
        period: the last closed one.
        reason: why.
        approved_by: who agrees; not the one who acts.
        actor: who acts.
        now_us: when.

    Raises:
        PeriodError: the period is open, a later one is closed, the reason is missing, or nobody
            else approves.
    """
    name = str(period)
    close = standing_close(tx, name)
    if close is None:
        raise PeriodError(f"{name} is open; there is nothing to reopen")
    later = [other for other in closed_periods(tx) if other > name]
    if later:
        raise PeriodError(
            f"{name} cannot be reopened while {', '.join(later)} is closed",
            next_step=f"reopen the last first: tallybook reopen {later[-1]}",
        )
    if not reason.strip():
        raise PeriodError("a reopening needs a reason", next_step="give one with --reason")
    _require_two(actor, approved_by)
    version = int(close.details["statement_version"])
    details = {"approved_by": approved_by.strip(), "close": close.id, "statement_version": version}
    link = append_act(tx, Act(ActKind.REOPEN, name, reason.strip(), details), actor, now_us)
    args = {"period": name, "reason": reason, "approved_by": approved_by}
    log_command(tx, Command("reopen", args, actor), now_us, {}, link.id)
    return link


def _require_two(actor: str, approved_by: str) -> None:
    if not approved_by.strip():
        raise PeriodError(
            "nobody approves the reopening", next_step="name another person with --approved-by"
        )
    if actor.strip().casefold() == approved_by.strip().casefold():
        raise PeriodError(
            f"{actor} both reopens and approves; it takes two people",
            next_step="name another person with --approved-by, or act as another with --as",
        )
