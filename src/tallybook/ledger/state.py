"""The state of a period, read from its acts: nothing else says whether it is closed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tallybook.ledger.model import USAGE_REASONS, ActKind, Reason
from tallybook.store import Tx, sql_text

PeriodState = Literal["open", "soft-closed", "closed"]
OPEN: PeriodState = "open"
SOFT_CLOSED: PeriodState = "soft-closed"
CLOSED: PeriodState = "closed"


STATE_AFTER: Mapping[ActKind, PeriodState] = {
    ActKind.SOFT_CLOSE: SOFT_CLOSED,
    ActKind.CLOSE: CLOSED,
    ActKind.REOPEN: OPEN,
}
"""The acts that change a period's state, with the state after them."""


@dataclass(frozen=True, slots=True)
class RecordedAct:
    """An act as it stands on the chain; ``details`` and ``versions`` are read from their JSON."""

    seq: int
    id: str
    kind: ActKind
    period: str
    recorded_us: int
    actor: str
    text: str
    versions: Mapping[str, str | int]
    details: Mapping[str, Any]
    hash: str


def period_state(tx: Tx, period: str) -> PeriodState:
    """``"closed"`` or ``"soft-closed"`` after such an act that no reopening followed, else open."""
    turn = last_turn(tx, period)
    return STATE_AFTER[turn.kind] if turn else OPEN


def admits(tx: Tx, period: str, reason: Reason) -> bool:
    """Whether an entry of a reason may post into a period: soft-closed, it takes finance's own."""
    state = period_state(tx, period)
    return state == OPEN or (state == SOFT_CLOSED and reason not in USAGE_REASONS)


def last_turn(tx: Tx, period: str) -> RecordedAct | None:
    """The act that made a period what it is: a soft close, a close or a reopening."""
    row = tx.row(sql_text(__package__, "last_turn"), period=period)
    return _act(row) if row else None


def standing_close(tx: Tx, period: str) -> RecordedAct | None:
    """The close that keeps a period closed now, or None if it is open or soft-closed."""
    turn = last_turn(tx, period)
    return turn if turn and turn.kind is ActKind.CLOSE else None


def standing_cutoff(tx: Tx, period: str) -> RecordedAct | None:
    """The act after which usage of a period is late: its soft close, else its close; None if open.

    What it names froze the usage of the period; a later close names the same.
    """
    row = tx.row(sql_text(__package__, "cutoff"), period=period)
    return _act(row) if row else None


def acts(tx: Tx, period: str) -> tuple[RecordedAct, ...]:
    """All acts about a period, oldest first; of ``""``, those about none."""
    return tuple(_act(row) for row in tx.rows(sql_text(__package__, "acts"), period=period))


def last_act(tx: Tx, period: str, kind: ActKind) -> RecordedAct | None:
    """The newest act of a kind about a period, or None."""
    row = tx.row(sql_text(__package__, "last_act"), period=period, kind=str(kind))
    return _act(row) if row else None


def _act(row: Any) -> RecordedAct:
    return RecordedAct(
        row.seq,
        row.id,
        ActKind(row.kind),
        row.period,
        row.recorded_us,
        row.actor,
        row.text,
        json.loads(row.versions),
        json.loads(row.details),
        row.hash,
    )
