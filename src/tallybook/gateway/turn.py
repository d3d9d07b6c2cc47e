"""One turn of the loop: what came in it is handled together, once nothing more is there to read.

First the answers of providers, so that their connections are free and nothing that was not asked
for can meet a request; then the events of those that went well, with one ``write``; then requests.
All that goes out leaves in one go, so callers and providers are woken once and not for each piece.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from tallybook.sdk.counters import Health


class Taker(Protocol):
    """A connection."""

    def take(self, data: bytes) -> None:
        """Bytes came for it."""


class Turn:
    """See above.

    Args:
        soon: has the loop do something when it has read what there is.
        settle: writes events, and lets the answers go that wait for them.
        health: told of faults of ours.
    """

    __slots__ = ("_answers", "_health", "_is_due", "_requests", "_settle", "_soon")

    def __init__(
        self,
        soon: Callable[[Callable[[], None]], object],
        settle: Callable[[], None],
        health: Health,
    ) -> None:
        self._soon = soon
        self._settle = settle
        self._health = health
        self._is_due = False
        self._answers: list[tuple[Taker, bytes]] = []
        self._requests: list[tuple[Taker, bytes]] = []

    def answer(self, taker: Taker, data: bytes) -> None:
        """Bytes of a provider came."""
        self._answers.append((taker, data))
        if not self._is_due:
            self._is_due = True
            self._soon(self.end)

    def request(self, taker: Taker, data: bytes) -> None:
        """Bytes of a caller came."""
        self._requests.append((taker, data))
        if not self._is_due:
            self._is_due = True
            self._soon(self.end)

    def end(self) -> None:
        """Handle what came."""
        self._is_due = False
        answers, self._answers = self._answers, []
        requests, self._requests = self._requests, []
        self._hand_out(answers)
        self._settle()
        self._hand_out(requests)

    def _hand_out(self, pieces: list[tuple[Taker, bytes]]) -> None:
        for taker, data in pieces:
            try:
                taker.take(data)
            except Exception as error:  # noqa: BLE001 - one connection's trouble is not the others'
                self._health.failed("turn", error)
