"""A process that lives operations of a file on books of its own, to be killed at any moment.

``python -m tallybook.sim.world.child HOME REPLAY`` tells the number of each operation that is done
on a line of ``HOME.done``.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from tallybook.sim.world.hands import Hands
from tallybook.sim.world.model import Operation
from tallybook.sim.world.replay import read_replay
from tallybook.store import Store


def done_file(home: Path) -> Path:
    """Where the child tells how far it is."""
    return home.with_suffix(".done")


def follow(home: Path, operations: Sequence[Operation], start: int) -> None:
    """Carry out operations from a place on, on books that are there already."""
    store = Store.open(home)
    hands = Hands(store)
    with done_file(home).open("a", encoding="utf-8") as done:
        for number, operation in enumerate(operations[start:], start):
            hands.do(operation)
            done.write(f"{number}\n")
            done.flush()
    store.close()


if __name__ == "__main__":
    follow(Path(sys.argv[1]), read_replay(Path(sys.argv[2]))[2], 0)
