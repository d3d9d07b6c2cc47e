"""Buckets: tallies by who caused them, over a five-minute slot, an hour or the month.

A bucket is one row of the store, its tallies one packed text, and adding is all that ever happens
to them; `tallybook.live.shelf` keeps them.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from tallybook.live.model import HOUR_US, SLOT_US, Span, Subject, Tally

Key = tuple[Span, int]
"""the kind of stretch and its first instant; a month's is 0"""

Figures = dict[Subject, Sequence[int]]
"""by who caused them, the figures of a `Tally` in order"""


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
        self._held[key] = figures if held is None else plus(held, figures)

    def buckets(self) -> Buckets:
        """All of it in the stretches in which it started."""
        made = Buckets()
        for (slot_us, subject), figures in self._held.items():
            made.put(("month", 0), subject, figures)
            # An hour is kept for what is usual of a feature, not of an agent.
            team, feature, agent, allocated = subject
            owner = Subject(team, feature, "", allocated) if agent else subject
            made.put(("hour", slot_us - slot_us % HOUR_US), owner, figures)
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
        stretch[subject] = list(figures) if held is None else plus(held, figures)

    def take(self, other: Buckets, sign: int = 1) -> None:
        """Add all of others, or take it off."""
        for key, held in other.items():
            for subject, figures in held.items():
                self.put(key, subject, figures if sign > 0 else [-one for one in figures])

    def items(self) -> Iterator[tuple[Key, Figures]]:
        """Every stretch with what is to be added."""
        yield from self._held.items()


def plus(one: Sequence[int], other: Sequence[int]) -> list[int]:
    """The figures of two tallies together."""
    a, b, c, d, e, f, g = one
    h, i, j, k, m, n, o = other
    return [a + h, b + i, c + j, d + k, e + m, f + n, g + o]


def merged(held: Figures, more: Mapping[Subject, Sequence[int]]) -> Figures:
    """Figures with others added; what comes to nothing is gone."""
    for subject, figures in more.items():
        old = held.get(subject)
        new = figures if old is None else plus(old, figures)
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


def packed_step(buckets: Mapping[Key, Figures]) -> bytes:
    """What one step adds, as it is stored."""
    rows = [
        (*key, [(*one, held) for one, held in figures.items()]) for key, figures in buckets.items()
    ]
    return zlib.compress(msgspec.json.encode(rows), 1)


_STEP_DECODER: Final = msgspec.json.Decoder(
    list[tuple[Span, int, list[tuple[str, str, str, bool, list[int]]]]]
)


def unpacked_step(body: bytes) -> dict[Key, Figures]:
    """The same as it was stored."""
    return {
        (span, from_us): {Subject(*who): held for *who, held in rows}  # type: ignore[arg-type]
        for span, from_us, rows in _STEP_DECODER.decode(zlib.decompress(body))
    }


def summed(figures: Iterable[Sequence[int]]) -> Tally:
    """Any number of figures together."""
    return Tally(*map(sum, zip(*figures, strict=True)))


def total(figures: Mapping[Subject, Sequence[int]]) -> Tally:
    """All of a bucket together."""
    return summed(figures.values())


def packed_usuals(usuals: Mapping[tuple[str, str], tuple[int, int]]) -> bytes:
    """What is usual of each team and feature, as it is stored."""
    return zlib.compress(msgspec.json.encode([(*who, *held) for who, held in usuals.items()]), 1)


def unpacked_usuals(body: bytes) -> dict[tuple[str, str], tuple[int, int]]:
    """The same as it was stored."""
    return {
        (row[0], row[1]): (row[2], row[3]) for row in msgspec.json.decode(zlib.decompress(body))
    }
