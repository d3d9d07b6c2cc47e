"""The state of a period, read from its acts: nothing else says whether it is closed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tallybook.ledger.model import ActKind
from tallybook.store import Tx, sql_text

PeriodState = Literal["open", "closed"]
OPEN: PeriodState = "open"
CLOSED: PeriodState = "closed"


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
    """``"closed"`` after a close that no reopening followed, else ``"open"``."""
    return CLOSED if standing_close(tx, period) else OPEN


def standing_close(tx: Tx, period: str) -> RecordedAct | None:
    """The close that keeps a period closed now, or None if it is open."""
    row = tx.row(sql_text(__package__, "last_close_or_reopen"), period=period)
    return _act(row) if row and row.kind == ActKind.CLOSE else None


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
