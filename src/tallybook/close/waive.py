"""Signed waivers: an actor passes one item of a checklist, with an estimate and a reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from tallybook.books.model import STATES
from tallybook.close.checklist import Item
from tallybook.close.duties import require_duty
from tallybook.errors import PeriodError
from tallybook.ledger.append import append_act
from tallybook.ledger.model import Act, ActKind, Link
from tallybook.ledger.state import CLOSED, RecordedAct, acts, period_state
from tallybook.money import parse_amount
from tallybook.store import Tx

WAIVABLE: Final = (*STATES, "suspects", "unreconciled", "suspense", "open_items", "budgets")
"""The items that a signature passes."""


@dataclass(frozen=True, slots=True)
class Waiver:
    """A signature; ``figure`` is how much of the item it covers, None for all that there may be."""

    actor: str
    figure: int | None


def waive(
    tx: Tx,
    period: str,
    item: str,
    *,
    estimate: str,
    reason: str,
    actor: str,
    now_us: int,
    figure: int | None = None,
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
        figure: of the item as the signer sees it; if it grows, the waiver no longer covers it.
            None covers whatever there will be.

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
    details: dict[str, str | int] = {"item": item, "estimate": estimate, "role": role}
    if figure is not None:
        details["figure"] = figure
    return append_act(tx, Act(ActKind.WAIVER, period, reason, details), actor, now_us)


def waivers(tx: Tx, period: str) -> Mapping[str, Waiver]:
    """Who waived which item of a period, up to which figure; the latest signature counts."""
    return {
        str(act.details["item"]): Waiver(act.actor, _figure(act))
        for act in acts(tx, period)
        if act.kind is ActKind.WAIVER
    }


def _figure(act: RecordedAct) -> int | None:
    figure = act.details.get("figure")
    return figure if isinstance(figure, int) else None


def signed_for(tx: Tx, period: str, items: Sequence[Item]) -> tuple[Item, ...]:
    """Items with the signatures that cover them; what has grown since is said and not covered."""
    signed = waivers(tx, period)
    return tuple(_signed(item, signed.get(item.name)) for item in items)


def _signed(item: Item, waiver: Waiver | None) -> Item:
    if waiver is None:
        return item
    if waiver.figure is None or item.figure <= waiver.figure:
        return replace(item, waived_by=waiver.actor)
    return replace(item, evidence=f"{item.evidence}; {waiver.actor} signed for less")
