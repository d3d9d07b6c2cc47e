"""What became of the calls that were seen, and of our own failures: counted, told once, swallowed.

Metering stands in somebody else's request. Whatever goes wrong here is counted and written to the
log once for each place; the caller's code never sees it.
"""

from __future__ import annotations

import logging
from collections import Counter
from threading import Lock
from types import TracebackType
from typing import Final

LOG: Final = logging.getLogger("tallybook.sdk")


class Health:
    """Counters of one process.

    ``observed`` calls were seen, ``spooled`` events are on the disk, ``lost`` events are not and
    never will be, ``shipped`` events were delivered, ``failed`` counts our own faults.
    """

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._told: set[str] = set()
        self._lock = Lock()

    def after_fork(self) -> None:
        """In a child process: the parent's counts are the parent's."""
        self._counts = Counter()
        self._lock = Lock()

    def counts(self) -> dict[str, int]:
        """Every counter that is not zero."""
        with self._lock:
            return dict(self._counts)

    def add(self, name: str, count: int = 1) -> None:
        """Count something."""
        with self._lock:
            self._counts[name] += count

    def warn(self, where: str, what: str) -> None:
        """Write one warning for a place, the first time only."""
        with self._lock:
            if where in self._told:
                return
            self._told.add(where)
        LOG.warning("%s: %s; counted from now on, not told again", where, what)

    def failed(self, where: str, error: BaseException) -> None:
        """Count a fault of ours and tell of it once; what it was working on is never shown."""
        self.add("failed")
        reason = getattr(error, "strerror", None)
        self.warn(where, f"{type(error).__name__}{f' ({reason})' if reason else ''}")
        LOG.debug("%s failed", where, exc_info=error)

    def guarded(self, where: str) -> Guard:
        """Let no fault of ours out of a ``with`` block."""
        return Guard(self, where)


class Guard:
    """A block that no fault of ours leaves; a class, because it stands in the way of every call."""

    __slots__ = ("_health", "_where")

    def __init__(self, health: Health, where: str) -> None:
        self._health = health
        self._where = where

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        self._health.failed(self._where, error)
        return True


PROCESS: Final = Health()
"""Faults that no hook can count, since it may be the hook that cannot be made."""


def guarded(where: str) -> Guard:
    """As `Health.guarded`, outside any hook."""
    return PROCESS.guarded(where)
