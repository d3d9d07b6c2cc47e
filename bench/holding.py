"""What holding calls to budgets costs, in process and at a draw. ``python -m bench --budgets``.

A call is under three limits. A bare call adds to and takes from three integers in a dictionary: the
least that any counting in Python does.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.figures import Figure
from tallybook.budget.book import Book
from tallybook.budget.hold import Holder, Room
from tallybook.budget.model import Estimate, Limit, Scope
from tallybook.clock import Period

CALLS = 200_000
_SCOPES: tuple[Scope, ...] = ("feature", "team", "unit")
_MONTH = Period(2026, 10)
_NEED, _COST = 40_000, 15_000
_TIMES = 5


def figures() -> Iterator[Figure]:
    """Reserve and settle under three limits, and the draws that it takes."""
    folder = Path(tempfile.mkdtemp(prefix="tallybook-bench-"))
    try:
        holder = Holder(Book(folder), "bench")
        rooms = [
            holder.room_of(
                Limit(scope=scope, subject="s", period=_MONTH, limit_nano=10**15, over="stop")
            )
            for scope in _SCOPES
        ]
        draws = 0

        def held() -> None:
            nonlocal draws
            for _ in range(CALLS):
                draws += _one(holder, rooms)

        bare_us = min(_us(_bare) for _ in range(_TIMES))
        held_us = min(_us(held) for _ in range(_TIMES))
        draw_us = min(_us(lambda: _drawn(holder, rooms), 2_000) for _ in range(_TIMES))
        yield Figure("count a call in three integers", bare_us, "us")
        yield Figure("reserve and settle under three limits", held_us, "us", most=5)
        yield Figure("draw a slice from the book of the node", draw_us, "us")
        yield Figure("the same, for each call", draw_us * draws / (CALLS * _TIMES), "us", most=3)
        yield Figure("reserve and settle over counting", held_us / bare_us, "x")
        holder.close()
    finally:
        shutil.rmtree(folder)


def _one(holder: Holder, rooms: list[Room]) -> int:
    estimate = Estimate(_NEED, _NEED)
    found, draws = holder.reserve(rooms, estimate), 0
    while found is None:
        draws += 1
        holder.draw(rooms, _NEED, [10**15] * len(rooms))
        found = holder.reserve(rooms, estimate)
    holder.settle(found, _COST)
    return draws


def _drawn(holder: Holder, rooms: list[Room]) -> None:
    for _ in range(2_000):
        room = rooms[0]
        holder.draw(rooms[:1], room.room + 1, [2**62], [room])


def _bare() -> None:
    counts = dict.fromkeys(_SCOPES, 0)
    for _ in range(CALLS):
        for scope in _SCOPES:
            counts[scope] += _NEED
        for scope in _SCOPES:
            counts[scope] -= _NEED - _COST


def _us(act: Callable[[], None], calls: int = CALLS) -> float:
    began_s = time.process_time()
    act()
    return (time.process_time() - began_s) * 1e6 / calls
