"""Crashes at any moment of a command: before or after each statement, at each named point.

A crash is an exception that nothing catches; the transaction under way is rolled back as the
database would do it for a dead process, and all that was in memory is dropped with the store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final
from unittest.mock import patch

from tallybook.store import Tx, faults

STATEMENTS: Final = ("run", "run_many", "run_tuples")


class SimulatedCrash(BaseException):
    """The process is gone; no error that anyone may handle."""


def raise_crash() -> None:
    """Die in process.

    Raises:
        SimulatedCrash: always.
    """
    raise SimulatedCrash


class Moments:
    """Counts the moments of a command at which it may die.

    Args:
        last: the moment, counted from 1, at which it dies; 0 never.
        die: how it dies.
    """

    def __init__(self, last: int = 0, die: Callable[[], None] = raise_crash) -> None:
        self.passed = 0
        self._last = last
        self._die = die

    def pass_one(self) -> None:
        """One moment more; the last is the end."""
        self.passed += 1
        if self.passed == self._last:
            self._die()


@contextmanager
def counted(moments: Moments) -> Iterator[None]:
    """Every statement that writes and every named point counts as moments while this lasts."""

    def reached(point: str) -> None:
        assert point, "a fault point has a name"
        moments.pass_one()

    with patch.object(faults, "reached", reached):
        patches = [patch.object(Tx, name, _counting(name, moments)) for name in STATEMENTS]
        for each in patches:
            each.start()
        try:
            yield
        finally:
            for each in patches:
                each.stop()


def _counting(name: str, moments: Moments) -> Callable[..., Any]:
    plain = getattr(Tx, name)

    def statement(tx: Tx, *args: Any, **params: Any) -> Any:
        moments.pass_one()
        result = plain(tx, *args, **params)
        moments.pass_one()
        return result

    return statement
