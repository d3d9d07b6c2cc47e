"""How far a month's rollup has come: one row of the store, moved on by whoever looked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tallybook.store import Tx, canonical_json


@dataclass(frozen=True, slots=True)
class State:
    """Where a rollup stands.

    ``step`` grows with each write, so that of two who worked at once one begins again. The sealed
    lot holds what was sealed up to manifest version ``manifest``; the waiting lot the batches of
    the inbox from ``first_batch`` to ``last_batch``, none if the last is before the first.
    ``again_upto`` is the last batch that traces took already, though the waiting lot did not.
    """

    period: str
    step: int
    ground: str
    manifest: int
    sealed_lot: int
    waiting_lot: int
    first_batch: int
    last_batch: int
    noted: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sources(self) -> tuple[str, ...]:
        """Who told of calls, in sealed files and in the inbox."""
        return tuple(self.noted.get("sources", ()))

    @property
    def again_upto(self) -> int:
        """See above; 0 if there is none."""
        return int(self.noted.get("again_upto", 0))

    @property
    def floor(self) -> int:
        """What a trace has to cost to be listed as dear."""
        return int(self.noted.get("floor", 0))

    def count(self, name: str) -> int:
        """A count of what waits: ``joined``, ``corrections`` or ``elsewhere``."""
        return int(self.noted.get(name, 0))

    @property
    def has_waiting(self) -> bool:
        """Whether the waiting lot holds a batch."""
        return self.last_batch >= self.first_batch


def read_state(tx: Tx, period: str) -> State | None:
    """The state of a month's rollup; None before it was first asked for."""
    row = tx.row("SELECT * FROM live_month WHERE period = :period", period=period)
    if row is None:
        return None
    values = row._asdict()
    return State(**{**values, "noted": json.loads(values["noted"])})


def is_current(tx: Tx, old: State | None, period: str) -> bool:
    """Whether nobody moved the rollup since ``old`` was read."""
    step = tx.scalar("SELECT step FROM live_month WHERE period = :period", period=period)
    return bool(step == (old.step if old else None))


def write_state(tx: Tx, new: State) -> None:
    """Move a rollup on, in the transaction in which `is_current` was asked."""
    tx.run(
        "INSERT INTO live_month (period, step, ground, manifest, sealed_lot, waiting_lot,"
        " first_batch, last_batch, noted) VALUES (:period, :step, :ground, :manifest,"
        " :sealed_lot, :waiting_lot, :first_batch, :last_batch, :noted)"
        " ON CONFLICT (period) DO UPDATE SET step = :step, ground = :ground,"
        " manifest = :manifest, sealed_lot = :sealed_lot, waiting_lot = :waiting_lot,"
        " first_batch = :first_batch, last_batch = :last_batch, noted = :noted",
        **_values(new),
    )


def next_lot(tx: Tx) -> int:
    """A number that no lot has."""
    return (
        int(
            tx.scalar("""
        SELECT MAX(lot) FROM (SELECT 0 AS lot UNION ALL SELECT MAX(lot) FROM live_bucket
          UNION ALL SELECT MAX(sealed_lot) FROM live_month
          UNION ALL SELECT MAX(waiting_lot) FROM live_month) AS lots
    """)
        )
        + 1
    )


def sweep(tx: Tx, since: str) -> None:
    """Forget the months before one, and delete the lots that no month names.

    Args:
        tx: a write transaction.
        since: the earliest month that is kept, which tells what is usual.
    """
    tx.run("DELETE FROM live_month WHERE period < :since", since=since)
    tx.run(
        "DELETE FROM live_bucket WHERE lot NOT IN (SELECT sealed_lot FROM live_month"
        " UNION SELECT waiting_lot FROM live_month)"
    )


def _values(state: State) -> dict[str, object]:
    values = {name: getattr(state, name) for name in State.__slots__}
    return values | {"noted": canonical_json(dict(state.noted))}
