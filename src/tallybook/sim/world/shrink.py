"""Making a broken world small: what can be left out while the same proof still fails, is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from tallybook.sim.world.model import Lived, Operation

Part = TypeVar("Part")
Relive = Callable[[Sequence[Operation]], Lived]


def shrink(lived: Lived, relive: Relive, attempts_max: int = 300) -> Lived:
    """Leave out operations, then events of deliveries, in ever smaller chunks.

    Args:
        lived: a world that broke.
        relive: lives operations in an empty world.
        attempts_max: how many worlds may be lived on the way.

    Returns:
        the smallest world found that breaks in the same proof; the given one if none does.
    """
    assert lived.failure is not None, "only a broken world shrinks"
    search = _Search(lived, relive, attempts_max)
    _reduced(list(lived.operations), search.is_broken)
    for number in range(len(search.best.operations)):
        search.reduce_events(number)
    operations = [_without_crash(one) for one in search.best.operations]
    search.is_broken(operations)
    return search.best


class _Search:
    def __init__(self, lived: Lived, relive: Relive, attempts_max: int) -> None:
        self.best = lived
        self._proof = lived.failure.proof if lived.failure else ""
        self._relive = relive
        self._left = attempts_max

    def is_broken(self, operations: Sequence[Operation]) -> bool:
        """Whether the same proof fails; the smaller world is kept."""
        if self._left <= 0:
            return False
        self._left -= 1
        found = self._relive(operations)
        same = found.failure is not None and found.failure.proof == self._proof
        if same:
            self.best = replace(found, params=self.best.params)
        return same

    def reduce_events(self, number: int) -> None:
        """Make one delivery smaller; a world that breaks earlier may have fewer operations."""
        if number >= len(self.best.operations) or "events" not in self.best.operations[number]:
            return

        def with_events(events: Sequence[Any]) -> bool:
            operations = list(self.best.operations)
            operations[number] = {**operations[number], "events": list(events), "rejects": []}
            return self.is_broken(operations)

        _reduced(self.best.operations[number]["events"], with_events)


def _reduced(parts: list[Part], is_broken: Callable[[Sequence[Part]], bool]) -> list[Part]:
    """Delta debugging: leave out one chunk after another, in ever smaller chunks."""
    size = max(1, len(parts) // 2)
    while parts:
        start = 0
        while start < len(parts):
            rest = parts[:start] + parts[start + size :]
            if is_broken(rest):
                parts = rest
            else:
                start += size
        if size == 1:
            break
        size //= 2
    return parts


def _without_crash(operation: Operation) -> Operation:
    return {name: value for name, value in operation.items() if name != "crash"}
