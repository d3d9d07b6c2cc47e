"""Buckets: tallies by who caused them, over a five-minute slot, an hour or the month.

A bucket is one row of the store, its tallies one packed text: a few thousand figures move on in one
write, and adding is all that ever happens to them.
"""

from __future__ import annotations

import json
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from tallybook.live.model import FIGURES, HOUR_US, SLOT_US, Span, Subject, Tally
from tallybook.store import Tx

Key = tuple[Span, int]
"""the kind of stretch and its first instant; a month's is 0"""

Figures = dict[Subject, list[int]]
"""by who caused them, the figures of a `Tally` in order"""

_WIDTH: Final = len(FIGURES)


class Buckets:
    """Tallies to be added to a lot: what one micro-batch, or one scan, brought."""

    def __init__(self) -> None:
        self._held: dict[Key, Figures] = defaultdict(dict)

    def add(
        self, subject: Subject, started_us: int, figures: Iterable[int], slots_from_us: int
    ) -> None:
        """Add figures to the stretches in which a call started.

        Args:
            subject: who caused it.
            started_us: when.
            figures: those of a `Tally`, or of one to take off, negated.
            slots_from_us: older calls have no slot.
        """
        told = tuple(figures)
        self.put(("month", 0), subject, told)
        # An hour is kept for what is usual of a feature, not of an agent.
        feature = Subject(subject.team, subject.feature, "", subject.allocated)
        self.put(("hour", started_us - started_us % HOUR_US), feature, told)
        if started_us >= slots_from_us:
            self.put(("slot", started_us - started_us % SLOT_US), subject, told)

    def put(self, key: Key, subject: Subject, figures: tuple[int, ...]) -> None:
        """Add figures to one stretch."""
        held = self._held[key].get(subject)
        if held is None:
            self._held[key][subject] = list(figures)
        else:
            for i in range(_WIDTH):
                held[i] += figures[i]

    def items(self) -> Iterator[tuple[Key, Figures]]:
        """Every stretch with what is to be added."""
        yield from self._held.items()


def merged(held: Figures, more: Mapping[Subject, Iterable[int]]) -> Figures:
    """Figures with others added; what comes to nothing is gone."""
    for subject, figures in more.items():
        old = held.get(subject)
        new = list(figures) if old is None else [a + b for a, b in zip(old, figures, strict=True)]
        if any(new):
            held[subject] = new
        else:
            held.pop(subject, None)
    return held


def packed(figures: Figures) -> bytes:
    """A bucket as it is stored."""
    rows = [
        [one.team, one.feature, one.agent, int(one.allocated), *held]
        for one, held in figures.items()
    ]
    return zlib.compress(json.dumps(rows, separators=(",", ":")).encode(), 1)


def unpacked(body: bytes) -> Figures:
    """A bucket as it was stored."""
    return {
        Subject(row[0], row[1], row[2], bool(row[3])): row[4:]
        for row in json.loads(zlib.decompress(body))
    }


def total(figures: Mapping[Subject, Iterable[int]]) -> Tally:
    """All of a bucket together."""
    sums = [0] * _WIDTH
    for held in figures.values():
        sums = [a + b for a, b in zip(sums, held, strict=True)]
    return Tally(*sums)


class Shelf:
    """The buckets of the store, unpacked once: who looks every second reads them from memory.

    What it holds is true for one step of the rollup; `forget` empties it when somebody else moved.
    """

    def __init__(self) -> None:
        self._held: dict[tuple[int, Span, int], Figures] = {}

    def forget(self) -> None:
        """Hold nothing."""
        self._held.clear()

    def read(self, tx: Tx, lot: int, key: Key) -> Figures:
        """One bucket; not to be changed."""
        place = (lot, *key)
        if place not in self._held:
            body = tx.scalar(
                "SELECT body FROM live_bucket WHERE lot = :lot AND span = :span"
                " AND from_us = :from_us",
                lot=lot,
                span=key[0],
                from_us=key[1],
            )
            self._held[place] = unpacked(body) if body else {}
        return self._held[place]

    def write(self, tx: Tx, lot: int, key: Key, more: Figures) -> None:
        """Add to a bucket of the store; `forget` if the transaction does not commit."""
        figures = merged(self.read(tx, lot, key), more)
        tx.run(
            "INSERT INTO live_bucket (lot, span, from_us, body) VALUES (:lot, :span, :from_us,"
            " :body) ON CONFLICT (lot, span, from_us) DO UPDATE SET body = excluded.body",
            lot=lot,
            span=key[0],
            from_us=key[1],
            body=packed(figures),
        )

    def keys(self, tx: Tx, lot: int, span: Span, low_us: int, high_us: int) -> list[int]:
        """The first instants of the stretches that have a bucket, from one to before another."""
        rows = tx.rows(
            "SELECT from_us FROM live_bucket WHERE lot = :lot AND span = :span"
            " AND from_us >= :low AND from_us < :high ORDER BY from_us",
            lot=lot,
            span=span,
            low=low_us,
            high=high_us,
        )
        return [int(row.from_us) for row in rows]
