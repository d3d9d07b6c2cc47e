"""What ingest put aside and somebody has to decide."""

from __future__ import annotations

from dataclasses import dataclass

from tallybook.store import Tx, sql_text


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One record put aside. ``record`` is JSON, whole but for who user and customer are."""

    id: int
    source: str
    event_id: str
    reason: str
    record: str
    place: str
    received_us: int


def quarantined(tx: Tx, *, after: int = 0, most: int = 1000) -> list[Quarantined]:
    """The quarantine, oldest first.

    Args:
        tx: any transaction.
        after: the id of the last one already seen; 0 starts at the beginning.
        most: how many at most.
    """
    rows = tx.rows(sql_text(__package__, "quarantined"), after=after, most=most)
    return [Quarantined(**row._asdict()) for row in rows]


def quarantined_count(tx: Tx) -> int:
    """How many records are put aside."""
    return int(tx.scalar("SELECT COUNT(*) FROM quarantine"))
