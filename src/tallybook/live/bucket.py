"""Buckets: tallies by who caused them, over a five-minute slot, an hour or the month.

A bucket is one row of the store, its tallies one packed text: a few thousand figures move on in one
write, and adding is all that ever happens to them.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from tallybook.live.model import FIGURES, HOUR_US, SLOT_US, Span, Subject, Tally
from tallybook.store import Tx

Key = tuple[Span, int]
"""the kind of stretch and its first instant; a month's is 0"""

Figures = dict[Subject, list[int]]
"""by who caused them, the figures of a `Tally` in order"""

_WIDTH: Final = len(FIGURES)


class Sums:
    """Figures by subject and slot of time, before they are put into buckets.

    Args:
        slots_us: older calls have no slot of five minutes.
    """

    def __init__(self, slots_us: int) -> None:
        self._slots_us = slots_us
        self._held: dict[tuple[int, Subject], Sequence[int]] = {}

    def add(self, subject: Subject, started_us: int, figures: Sequence[int], sign: int = 1) -> None:
        """Add the figures of one call, or take them off."""
        key = (started_us - started_us % SLOT_US, subject)
        if sign < 0:
            figures = [-one for one in figures]
        held = self._held.get(key)
        self._held[key] = (
            figures if held is None else [a + b for a, b in zip(held, figures, strict=True)]
        )

    def buckets(self) -> Buckets:
        """All of it in the stretches in which it started."""
        made = Buckets()
        for (slot_us, subject), figures in self._held.items():
            made.put(("month", 0), subject, figures)
            # An hour is kept for what is usual of a feature, not of an agent.
            feature = subject._replace(agent="") if subject.agent else subject
            made.put(("hour", slot_us - slot_us % HOUR_US), feature, figures)
            if slot_us >= self._slots_us:
                made.put(("slot", slot_us), subject, figures)
        return made


class Buckets:
    """Tallies to be added to a lot: what one micro-batch, or one scan, brought."""

    def __init__(self) -> None:
        self._held: dict[Key, Figures] = defaultdict(dict)

    def put(self, key: Key, subject: Subject, figures: Sequence[int]) -> None:
        """Add figures to one stretch."""
        stretch = self._held[key]
        held = stretch.get(subject)
        stretch[subject] = (
            list(figures) if held is None else [a + b for a, b in zip(held, figures, strict=True)]
        )

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
    return zlib.compress(msgspec.json.encode([(*one, held) for one, held in figures.items()]), 1)


_DECODER: Final = msgspec.json.Decoder(list[tuple[str, str, str, bool, list[int]]])


def unpacked(body: bytes) -> Figures:
    """A bucket as it was stored."""
    return {Subject(*who): held for *who, held in _DECODER.decode(zlib.decompress(body))}  # type: ignore[arg-type]


def total(figures: Mapping[Subject, Iterable[int]]) -> Tally:
    """All of a bucket together."""
    sums = [0] * _WIDTH
    for held in figures.values():
        sums = [a + b for a, b in zip(sums, held, strict=True)]
    return Tally(*sums)


def packed_usuals(usuals: Mapping[tuple[str, str], tuple[int, int]]) -> bytes:
    """What is usual of each team and feature, as it is stored."""
    return zlib.compress(msgspec.json.encode([(*who, *held) for who, held in usuals.items()]), 1)


def unpacked_usuals(body: bytes) -> dict[tuple[str, str], tuple[int, int]]:
    """The same as it was stored."""
    return {
        (row[0], row[1]): (row[2], row[3]) for row in msgspec.json.decode(zlib.decompress(body))
    }


Bodies = dict[tuple[int, Key], tuple[Figures, bytes]]
"""by lot and stretch, a bucket as it will be, and packed"""


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

    def moved(self, tx: Tx, lot: int, buckets: Buckets) -> Bodies:
        """Buckets of a lot with others added, ready to be written; the shelf stays as it is."""
        found: Bodies = {}
        for key, more in buckets.items():
            held = self.read(tx, lot, key)
            figures = merged(dict(held), more) if held else more
            found[lot, key] = (figures, packed(figures))
        return found

    def write(self, tx: Tx, bodies: Bodies) -> None:
        """Write what `moved` gave; `forget` if the transaction does not commit."""
        tx.run_tuples(
            "INSERT INTO live_bucket (lot, span, from_us, body) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (lot, span, from_us) DO UPDATE SET body = excluded.body",
            [(lot, *key, body) for (lot, key), (_, body) in bodies.items()],
        )
        for (lot, key), (figures, _) in bodies.items():
            self._held[lot, *key] = figures

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
