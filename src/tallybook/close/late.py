"""What came late: events of a closed period, sealed after its close. They wait, unposted."""

from __future__ import annotations

from dataclasses import dataclass

from tallybook.ledger.model import ActKind
from tallybook.ledger.state import CLOSED, last_act, period_state
from tallybook.store import Tx


@dataclass(frozen=True, slots=True)
class Late:
    """Events of one closed period that arrived after it closed."""

    period: str
    events: int
    closed_us: int


def late_events(tx: Tx) -> list[Late]:
    """The closed periods that usage arrived for, and how much; nothing of it is posted."""
    found = []
    for row in tx.rows("SELECT DISTINCT period FROM sealed_file ORDER BY period"):
        period = str(row.period)
        act = last_act(tx, period, ActKind.CLOSE)
        if act is None or period_state(tx, period) != CLOSED:
            continue
        events = tx.scalar(
            "SELECT COALESCE(SUM(rows), 0) FROM sealed_file"
            " WHERE period = :period AND added > :manifest",
            period=period,
            manifest=int(act.details["manifest"]),
        )
        if events:
            found.append(Late(period, int(events), act.recorded_us))
    return found
