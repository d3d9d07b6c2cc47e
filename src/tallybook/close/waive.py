"""Signed waivers: an actor passes one item of a checklist, with an estimate and a reason."""

from __future__ import annotations

from typing import Final

from tallybook.books.model import STATES
from tallybook.close.duties import require_duty
from tallybook.errors import PeriodError
from tallybook.ledger.append import append_act
from tallybook.ledger.model import Act, ActKind, Link
from tallybook.ledger.state import CLOSED, acts, period_state
from tallybook.money import parse_amount
from tallybook.store import Tx

WAIVABLE: Final = (*STATES, "suspects", "unreconciled", "suspense", "open_items", "budgets")
"""The items that a signature passes."""


def waive(
    tx: Tx, period: str, item: str, *, estimate: str, reason: str, actor: str, now_us: int
) -> Link:
    """Sign a waiver.

    Args:
        tx: a write transaction.
        period: which.
        item: one of `WAIVABLE`.
        estimate: what the signer thinks that it amounts to, in currency units.
        reason: why the period may close all the same.
        actor: who signs.
        now_us: when.

    Raises:
        PeriodError: the period is closed, the item cannot be waived, the reason is missing, or the
            actor is no approver.
        MoneyError: the estimate is no amount.
    """
    if period_state(tx, period) == CLOSED:
        raise PeriodError(f"{period} is closed; there is nothing to waive")
    if item not in WAIVABLE:
        raise PeriodError(
            f"{item!r} cannot be waived", next_step=f"name one of {', '.join(WAIVABLE)}"
        )
    if not reason.strip():
        raise PeriodError("a waiver needs a reason", next_step="give one with --reason")
    parse_amount(estimate)
    role = require_duty(tx, actor, "approver", f"sign a waiver of {item}")
    details = {"item": item, "estimate": estimate, "role": role}
    return append_act(tx, Act(ActKind.WAIVER, period, reason, details), actor, now_us)


def waivers(tx: Tx, period: str) -> dict[str, str]:
    """Who waived which item of a period; the latest signature counts."""
    return {
        str(act.details["item"]): act.actor
        for act in acts(tx, period)
        if act.kind is ActKind.WAIVER
    }
