"""A disk without room: a process lives a world on a file system that is full again and again.

Linux lets an ordinary user mount a file system in memory inside a name space of their own, on most
machines: ENOSPC comes from the kernel there, at whichever write it hits. A command that is refused
so has left the books as they were; with room again it is carried out, and the world must end in
the same balances and statements as the one that always had room (INV-08).

``python -m tallybook.sim.world.full FOLDER REPLAY SEED`` is the process.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Final

from tallybook.errors import StoreError
from tallybook.sim.world.hands import Hands, open_books
from tallybook.sim.world.live import memory_folder
from tallybook.sim.world.model import BrokenError, Lived, Operation
from tallybook.sim.world.prints import books_print, final_digest
from tallybook.sim.world.prove import prove_invariants, require
from tallybook.sim.world.replay import read_replay, write_replay
from tallybook.store import Store

KIB: Final = 1024
AMPLE: Final = 256 * KIB * KIB
ROOMS_KIB: Final = (0, 0, 4, 8, 16, 32, 36, 40, 48, 64, 96, 160, 400)
"""how much room a command finds; the database's shared memory alone takes 32"""
SECONDS_MAX: Final = 1_800
_ALONE: Final = ("unshare", "--user", "--map-root-user", "--mount")
_PROOF: Final = "full disk"


def may_mount() -> bool:
    """Whether this machine lets whoever runs us mount a file system of their own."""
    try:
        with TemporaryDirectory() as folder:
            mount = ("mount", "-t", "tmpfs", "-o", "size=64k", "tallybook", folder)
            done = subprocess.run((*_ALONE, *mount), capture_output=True, check=False)  # noqa: S603
    except OSError:
        return False
    return done.returncode == 0


def filled(lived: Lived, luck: Random) -> int:
    """Live a world again on a disk that is full at many of its commands.

    Args:
        lived: a world that held.
        luck: decides how much room each command finds.

    Returns:
        how many commands were refused for lack of room.

    Raises:
        BrokenError: a command left something half done, or the books came out elsewhere.
    """
    with TemporaryDirectory(prefix="tallybook-full-", dir=memory_folder()) as folder:
        replay = write_replay(Path(folder) / "world.jsonl", lived)
        disk = Path(folder) / "disk"
        disk.mkdir()
        program = (sys.executable, "-m", __name__, str(disk), str(replay))
        command = (*_ALONE, *program, str(luck.randrange(1 << 30)))
        done = subprocess.run(  # noqa: S603 - ourselves
            command, capture_output=True, check=False, text=True, timeout=SECONDS_MAX
        )
    if done.returncode:
        raise BrokenError(_PROOF, done.stderr.strip().splitlines()[-1])
    refused, digest = done.stdout.split()
    require(_PROOF, ok=digest == lived.digest, detail="the books came out elsewhere")
    return int(refused)


class Disk:
    """A mounted file system in memory, of a size that may be changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._mount("-t", "tmpfs", "-o", f"size={AMPLE}", "tallybook", str(folder))

    def leave(self, room_bytes: int) -> None:
        """Leave so much room on it."""
        found = os.statvfs(self._folder)
        used = (found.f_blocks - found.f_bfree) * found.f_frsize
        self._mount(
            "-o", f"remount,size={max(used + room_bytes, found.f_frsize)}", str(self._folder)
        )

    @staticmethod
    def _mount(*args: str) -> None:
        subprocess.run(("mount", *args), check=True)  # noqa: S603, S607 - in a name space of ours


def live_on(disk: Disk, hands: Hands, operation: Operation, room_bytes: int) -> bool:
    """Carry out one operation with so much room; whether there was enough.

    Raises:
        BrokenError: it was refused for lack of room and changed the books.
    """
    before = books_print(hands.store)
    disk.leave(room_bytes)
    try:
        done = hands.do(operation)
    finally:
        disk.leave(AMPLE)
    if not done.refusal.startswith(StoreError.__name__):
        return True
    whole = operation["do"] == "ingest" or books_print(hands.store) == before
    told = " ".join(done.refusal.split())  # of one line, as `filled` reads it
    require(_PROOF, ok=whole, detail=f"{operation['do']}: {told}, and the books changed")
    return False


def _commands(operation: Operation) -> list[Operation]:
    """An operation as commands, each of which is whole or refused: a proof runs month by month."""
    if operation["do"] != "prove":
        return [operation]
    return [{**operation, "do": "run", "period": month} for month in operation.get("periods", ())]


def main(folder: Path, replay: Path, seed: int) -> None:
    """Live the world of a file and tell how many commands were refused, and the digest."""
    luck, disk = Random(seed), Disk(folder)  # noqa: S311 - a simulation
    home = folder / "books"
    open_books(home).close()
    hands = Hands(Store.open(home), desk=replay.parent)
    refused = 0
    for operation in (step for one in read_replay(replay)[2] for step in _commands(one)):
        for _ in range(3):
            room_bytes = luck.choice(ROOMS_KIB) * KIB
            if live_on(disk, hands, operation, room_bytes):
                break
            refused += 1
        else:
            require(_PROOF, ok=live_on(disk, hands, operation, AMPLE), detail="ample is too little")
    prove_invariants(hands.store)
    sys.stdout.write(f"{refused} {final_digest(hands.store)}\n")
    hands.store.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
