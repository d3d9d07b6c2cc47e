"""The only reader of the wall clock. Everything else is handed a :class:`Clock`."""

from __future__ import annotations

import time
from typing import Protocol

from tallybook.errors import ClockError

NS_PER_US = 1000


class Clock(Protocol):
    """Whatever tells the time: an edge passes the system's, a test its own."""

    def now_us(self) -> int:
        """Microseconds since 1970-01-01T00:00:00Z."""


class SystemClock:
    """The clock of this machine."""

    def now_us(self) -> int:
        """Microseconds since 1970-01-01T00:00:00Z, truncated."""
        return time.time_ns() // NS_PER_US


class FixedClock:
    """A clock that stands still until it is moved: for tests, replays and the simulator.

    Args:
        us: where it stands, in microseconds since 1970-01-01T00:00:00Z.
    """

    def __init__(self, us: int) -> None:
        self._us = us

    def now_us(self) -> int:
        """Microseconds since 1970-01-01T00:00:00Z."""
        return self._us

    def advance(self, by_us: int) -> None:
        """Move on by microseconds.

        Raises:
            ClockError: the step is negative; recorded time never goes back.
        """
        if by_us < 0:
            raise ClockError(f"a clock cannot go back by {-by_us} us")
        self._us += by_us
