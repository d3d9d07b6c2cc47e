"""Shipping: segments leave the spool when their destination has taken them, never before.

A segment is delivered, and only then deleted. Whoever dies in between delivers it again, and its
destination knows the events by their ids: at least once on the way, exactly once in the books.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from tallybook.sdk.counters import Health
from tallybook.sdk.spool import SEALED, taken, waiting

REFUSED: Final = ".refused"
_TAIL: Final = 1_048_576


@dataclass(frozen=True, slots=True)
class Delivery:
    """What the destination made of the events of a segment, or of all."""

    accepted: int = 0
    duplicate: int = 0
    quarantined: int = 0
    rejected: int = 0

    def __add__(self, other: Delivery) -> Delivery:
        return Delivery(
            self.accepted + other.accepted,
            self.duplicate + other.duplicate,
            self.quarantined + other.quarantined,
            self.rejected + other.rejected,
        )


class Destination(Protocol):
    """Where events go."""

    def deliver(self, segment: Path) -> Delivery:
        """Take all events of a segment, or raise and take any of them again later.

        Raises:
            DeliveryError: it cannot be reached, or it refuses; try again.
            RefusedError: it will never take this segment.
        """

    def close(self) -> None:
        """Release what it holds."""


class RefusedError(Exception):
    """The destination will never take this segment: it is kept aside for people."""


def ship(
    folder: Path,
    destination: Destination,
    *,
    health: Health,
    go_on: Callable[[], bool] = lambda: True,
) -> Delivery:
    """Ship the segments that wait in a spool, oldest first.

    Args:
        folder: of the spool; several processes may ship from it at once.
        destination: where to.
        health: told of what was shipped, and of what a dying process wrote by half.
        go_on: asked before each segment.

    Raises:
        DeliveryError: of the destination; what was not delivered waits on.
    """
    total = Delivery()
    for segment in waiting(folder):
        if not go_on():
            break
        with taken(segment) as file:
            if file < 0:
                continue
            _cut_torn_end(segment, file, health)
            os.fsync(file)
            try:
                delivery = destination.deliver(segment)
            except RefusedError as error:
                segment.rename(segment.with_suffix(REFUSED))
                health.add("refused")
                health.warn("refused", f"{segment.with_suffix(REFUSED)}: {error}")
                continue
            segment.unlink()
        total += delivery
        health.add("shipped", delivery.accepted + delivery.duplicate + delivery.quarantined)
        if delivery.rejected:
            health.add("rejected", delivery.rejected)
    return total


def _cut_torn_end(segment: Path, file: int, health: Health) -> None:
    """Cut off what a process was writing when it died: it was never promised to anyone."""
    size = os.fstat(file).st_size
    tail = os.pread(file, _TAIL, max(0, size - _TAIL))
    if not tail or tail.endswith(b"\n"):
        return
    whole = size - len(tail) + tail.rfind(b"\n") + 1
    os.ftruncate(file, whole)
    health.add("torn")
    health.warn("torn", f"{segment.with_suffix(SEALED).name} ends in half an event")
