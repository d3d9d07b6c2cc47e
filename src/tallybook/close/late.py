"""What came late: events of a shut period, sealed after its cutoff; waiting, or posted since."""

from __future__ import annotations

from dataclasses import dataclass

from tallybook.ledger.state import standing_cutoff
from tallybook.post.late import shut_periods
from tallybook.post.sheet import sheet_versions
from tallybook.store import Tx


@dataclass(frozen=True, slots=True)
class Late:
    """Events of one shut period that arrived after its cutoff at ``closed_us``.

    ``waiting`` ones are not booked; ``posted`` ones are, in a later period, as adjustments.
    """

    period: str
    waiting: int
    posted: int
    closed_us: int

    @property
    def events(self) -> int:
        """All that came late."""
        return self.waiting + self.posted


def late_usage(tx: Tx) -> list[Late]:
    """The shut periods that usage arrived for, and how much of it waits and is posted."""
    found = []
    for period in shut_periods(tx):
        act, held = standing_cutoff(tx, period), sheet_versions(tx, period)
        assert act is not None, "a shut period has its cutoff"
        every = _events_since(tx, period, int(act.details["manifest"]))
        if every:
            waiting = _events_since(tx, period, held[1].manifest) if held else every
            found.append(Late(period, waiting, every - waiting, act.recorded_us))
    return found


def _events_since(tx: Tx, period: str, manifest: int) -> int:
    events = tx.scalar(
        "SELECT COALESCE(SUM(rows), 0) FROM sealed_file"
        " WHERE period = :period AND added > :manifest AND kind <> 'evidence'",
        period=period,
        manifest=manifest,
    )
    return int(events or 0)
