"""Killing a real process: a child lives a world's operations and dies by SIGKILL on the way.

The parent goes on where the child stopped, with the operation that was under way, and must arrive
at the same balances and the same statements as the world that nobody killed (INV-08).
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from random import Random
from signal import SIGKILL
from tempfile import TemporaryDirectory
from threading import Event
from typing import Final

from tallybook.sim.world.child import done_file, follow
from tallybook.sim.world.hands import open_books
from tallybook.sim.world.live import memory_folder
from tallybook.sim.world.model import BrokenError, Lived
from tallybook.sim.world.prints import final_digest
from tallybook.sim.world.prove import prove_invariants
from tallybook.sim.world.replay import write_replay
from tallybook.store import Store

TICK_MS: Final = 2
SECONDS_MAX: Final = 120


def killed(lived: Lived, luck: Random, template: Path | None = None) -> int | None:
    """Live a world again in a child, kill it at any instant, and go on.

    Args:
        lived: a world that held.
        luck: decides when the child dies.
        template: a file of empty books, or None.

    Returns:
        the place in the stream at which the child died; None if it was done before.

    Raises:
        BrokenError: the books differ from those of the world that nobody killed.
    """
    with TemporaryDirectory(prefix="tallybook-kill-", dir=memory_folder()) as folder:
        home = Path(folder) / "books"
        open_books(home, template).close()
        done_file(home).touch()
        file = write_replay(Path(folder) / "world.jsonl", lived)
        died = _kill_on_the_way(home, file, luck, len(lived.operations))
        reached = len(done_file(home).read_text("utf-8").splitlines())
        follow(home, lived.operations, reached)
        store = Store.open(home)
        prove_invariants(store)
        found = final_digest(store)
        store.close()
    if found != lived.digest:
        raise BrokenError("kill -9", f"killed in operation {reached}, the books came out elsewhere")
    return reached if died else None


def _kill_on_the_way(home: Path, file: Path, luck: Random, operations: int) -> bool:
    command = [sys.executable, "-m", "tallybook.sim.world.child", str(home), str(file)]
    wanted, more_ticks = luck.randrange(1, max(2, operations)), luck.randrange(100)
    never = Event()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as child:  # noqa: S603 - ourselves
        for _ in range(SECONDS_MAX * 1000 // TICK_MS):
            if child.poll() is not None:
                return False
            if len(done_file(home).read_bytes().splitlines()) >= wanted:
                break
            never.wait(TICK_MS * 1e-3)
        never.wait(more_ticks * TICK_MS * 1e-3)
        child.kill()
    return child.returncode == -SIGKILL
