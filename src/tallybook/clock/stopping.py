"""Told to end by a signal, and waiting until one comes.

A handler that sets a `threading.Event` may run, in the same thread, in the middle of the wait that
holds the event's lock, and then neither ever goes on. So a signal writes a byte into a pipe, and
waiting is for that byte, which stays there: who was told once was told for good.
"""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

ENDING: Final = (signal.SIGTERM, signal.SIGINT)
_MS: Final = 1000


class Stopping:
    """What was told so far; made by `told_by_signals`."""

    def __init__(self, reading: int, writing: int) -> None:
        self.told: list[int] = []
        self._writing = writing
        self._poll = select.poll()
        self._poll.register(reading, select.POLLIN)

    def tell(self, number: int, _frame: object = None) -> None:
        """Note a signal; as a handler of it."""
        self.told.append(number)
        with suppress(BlockingIOError):  # the pipe is full of such bytes
            os.write(self._writing, b".")

    def is_set(self) -> bool:
        """Whether any signal came."""
        return bool(self.told)

    def wait(self, seconds: float) -> bool:
        """Wait for a signal, so long at most; whether any came."""
        return self.is_set() or bool(self._poll.poll(seconds * _MS))


@contextmanager
def told_by_signals() -> Iterator[Stopping]:
    """Be told of SIGTERM and SIGINT, in the main thread, while the block lasts."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    stopping = Stopping(reading, writing)
    before = {number: signal.signal(number, stopping.tell) for number in ENDING}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(reading)
        os.close(writing)
