"""The buckets of the store: read once, held, moved on by what each step adds.

What a step adds is written as a row of its own, so that a step of a thousand calls does not write
ten thousand figures anew; after some steps those rows are folded into their buckets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from tallybook.live.bucket import (
    Buckets,
    Figures,
    Key,
    merged,
    packed,
    packed_step,
    unpacked,
    unpacked_step,
)
from tallybook.live.cut import Cut
from tallybook.live.model import Span
from tallybook.store import Tx

STEPS_KEPT: Final = 64
"""So many steps of a lot stand as they were added."""
_MANY: Final = 50_000
"""Tallies of which a step is not kept, but put into the buckets at once."""


@dataclass(frozen=True, slots=True)
class Moved:
    """Buckets of a lot with others added, as they will be, packed and ready to be written.

    ``rows`` are those of the store: by span and instant. ``is_folded`` says that they take the
    place of all steps of the lot.
    """

    lot: int
    held: Mapping[Key, Figures]
    added: Mapping[Key, Figures]
    rows: tuple[tuple[str, int, bytes], ...]
    is_folded: bool


@dataclass(slots=True)
class _Steps:
    """The steps of a lot that stand: how many, the number of the last, and what they add to.

    ``unread`` is what they add to buckets that nobody read since.
    """

    count: int = 0
    last: int = 0
    keys: set[Key] = field(default_factory=set)
    unread: dict[Key, Figures] = field(default_factory=dict)


class Shelf:
    """The buckets of the store, unpacked once: who looks every second reads them from memory.

    What it holds is true for one step of the rollup; `forget` empties it when somebody else moved.
    """

    def __init__(self) -> None:
        self._held: dict[tuple[int, Key], Figures] = {}
        self._cuts: dict[tuple[int, Key], Cut] = {}
        self._steps: dict[int, _Steps] = {}

    def forget(self) -> None:
        """Hold nothing."""
        self._held.clear()
        self._cuts.clear()
        self._steps.clear()

    def read(self, tx: Tx, lot: int, key: Key) -> Figures:
        """One bucket; not to be changed."""
        held = self._held.get((lot, key))
        if held is None:
            added = self._standing(tx, lot, is_asked=True).unread.pop(key, {})
            body = tx.scalar(
                "SELECT body FROM live_bucket WHERE lot = :lot AND span = :span"
                " AND from_us = :from_us",
                lot=lot,
                span=key[0],
                from_us=key[1],
            )
            held = self._held[lot, key] = merged(unpacked(body) if body else {}, added)
        return held

    def cut(self, tx: Tx, lot: int, key: Key) -> Cut:
        """The cut of one bucket."""
        held = self._cuts.get((lot, key))
        if held is None:
            held = self._cuts[lot, key] = Cut.of(self.read(tx, lot, key))
        return held

    def moved(self, tx: Tx, lot: int, number: int, buckets: Buckets) -> Moved:
        """Buckets of a lot with others added; the shelf stays as it is.

        Args:
            tx: a transaction.
            lot: which.
            number: of the step, above that of every step before.
            buckets: what the step adds.
        """
        added = dict(buckets.items())
        steps = self._standing(tx, lot)
        held = {key: merged(dict(self.read(tx, lot, key)), more) for key, more in added.items()}
        many = sum(map(len, added.values())) > _MANY
        if steps.count < STEPS_KEPT and not many:
            rows: tuple[tuple[str, int, bytes], ...] = ()
            if added:
                rows = (("step", number, packed_step(added)),)
            return Moved(lot, held, added, rows, is_folded=False)
        every = held | {key: self.read(tx, lot, key) for key in steps.keys - held.keys()}
        rows = tuple((*key, packed(figures)) for key, figures in every.items())
        return Moved(lot, held, added, rows, is_folded=True)

    def write(self, tx: Tx, moved: Moved) -> None:
        """Write what `moved` gave; `forget` if the transaction does not commit."""
        lot, steps = moved.lot, self._steps[moved.lot]
        if moved.is_folded:
            tx.run("DELETE FROM live_bucket WHERE lot = :lot AND span = 'step'", lot=lot)
            self._steps[lot] = _Steps()
        elif moved.rows:
            steps.count, steps.last = steps.count + 1, moved.rows[0][1]
            steps.keys.update(moved.added)
        tx.run_tuples(
            "INSERT INTO live_bucket (lot, span, from_us, body) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (lot, span, from_us) DO UPDATE SET body = excluded.body",
            [(lot, *row) for row in moved.rows],
        )
        for key, figures in moved.held.items():
            self._held[lot, key] = figures
            if (cut := self._cuts.get((lot, key))) is not None:
                self._cuts[lot, key] = cut.plus(moved.added[key])

    def forget_slots(self, tx: Tx, upto_us: int) -> None:
        """Forget the slots that are no longer of the last hour."""
        tx.run("DELETE FROM live_bucket WHERE span = 'slot' AND from_us < :upto", upto=upto_us)
        for steps in self._steps.values():
            steps.keys -= {key for key in steps.keys if _is_before(key, upto_us)}
        for place in [place for place in self._held if _is_before(place[1], upto_us)]:
            del self._held[place]
            self._cuts.pop(place, None)

    def keys(self, tx: Tx, lot: int, span: Span, low_us: int, high_us: int) -> list[int]:
        """The first instants of the stretches that have a bucket, from one to before another."""
        rows = tx.rows(
            "SELECT from_us FROM live_bucket WHERE lot = :lot AND span = :span"
            " AND from_us >= :low AND from_us < :high",
            lot=lot,
            span=span,
            low=low_us,
            high=high_us,
        )
        added = self._added(tx, lot, span)
        found = {int(row.from_us) for row in rows} | {at for at in added if low_us <= at < high_us}
        return sorted(found)

    def first_us(self, tx: Tx, lot: int, span: Span) -> int | None:
        """The first instant that has a bucket; None if none has."""
        least = tx.scalar(
            "SELECT MIN(from_us) FROM live_bucket WHERE lot = :lot AND span = :span",
            lot=lot,
            span=span,
        )
        known = [int(least)] if least is not None else []
        return min([*known, *self._added(tx, lot, span)], default=None)

    def _added(self, tx: Tx, lot: int, span: Span) -> Iterator[int]:
        """The stretches that steps of a lot add to."""
        return (at for kind, at in self._standing(tx, lot).keys if kind == span)

    def _standing(self, tx: Tx, lot: int, *, is_asked: bool = False) -> _Steps:
        """The steps of a lot; ``is_asked`` asks the store whether they are those that stand."""
        held = self._steps.get(lot)
        if held is not None and not is_asked:
            return held
        last = tx.scalar(
            "SELECT MAX(from_us) FROM live_bucket WHERE lot = :lot AND span = 'step'", lot=lot
        )
        if held is None or held.last != int(last or 0):
            held = self._steps[lot] = _Steps(last=int(last or 0))
            self._read_steps(tx, lot, held)
        return held

    def _read_steps(self, tx: Tx, lot: int, into: _Steps) -> None:
        rows = tx.rows("SELECT body FROM live_bucket WHERE lot = :lot AND span = 'step'", lot=lot)
        for row in rows:
            into.count += 1
            for key, more in unpacked_step(row.body).items():
                into.unread[key] = merged(into.unread.get(key, {}), more)
        into.keys.update(into.unread)


def _is_before(key: Key, upto_us: int) -> bool:
    return key[0] == "slot" and key[1] < upto_us
