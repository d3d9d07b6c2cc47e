"""How a command dies in a world: an exception here, a process by SIGKILL, or its connection.

The exception is cheap and leaves no process behind; the kill is the real thing: nothing is rolled
back by anyone, locks and the log of the database are left as they are, no ``finally`` runs.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tallybook.sim.world.crash import Moments, SimulatedCrash, counted
from tallybook.sim.world.hands import Hands
from tallybook.sim.world.model import BrokenError, Operation
from tallybook.store import Store

SECONDS_MAX: Final = 120


@dataclass(frozen=True, slots=True)
class Death:
    """One way to die.

    Attributes:
        name: what the tally counts it as.
        die: carries out an operation on books that nobody has open, from an instant on, up to a
            moment: counted from 1, the last one when all is done. Whether it died there.
    """

    name: str
    die: Callable[[Path, Operation, int, int], bool]


def _in_process(home: Path, operation: Operation, now_us: int, moment: int) -> bool:
    hands = Hands(Store.open(home), now_us)
    try:
        _live_until(hands, operation, Moments(moment))
    except SimulatedCrash:
        return True
    finally:
        hands.store.close()
    return False


def _live_until(hands: Hands, operation: Operation, moments: Moments) -> None:
    with counted(moments):
        hands.do(operation)
    moments.pass_one()  # committed, and nobody was told: what is repeated now must not double


def _by_kill(home: Path, operation: Operation, now_us: int, moment: int) -> bool:
    """A process of its own carries out the operation and kills itself with -9 at the moment."""
    # A server that has loaded the code and opened nothing forks the processes: no thread, lock or
    # connection of ours lives on in them.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    process = context.Process(target=_be_killed, args=(home, operation, now_us, moment))
    process.start()
    process.join(SECONDS_MAX)
    if process.exitcode is None:
        process.kill()
        raise BrokenError("kill -9", f"{operation['do']} was not over after {SECONDS_MAX} s")
    if process.exitcode not in (0, -signal.SIGKILL):
        raise BrokenError("kill -9", f"{operation['do']} ended with {process.exitcode}")
    return process.exitcode == -signal.SIGKILL


def _be_killed(home: Path, operation: Operation, now_us: int, moment: int) -> None:
    _live_until(Hands(Store.open(home), now_us), operation, Moments(moment, kill_self))


def kill_self() -> None:
    """Be gone, as the machine would have it."""
    os.kill(os.getpid(), signal.SIGKILL)


def by_cut(cut: Callable[[Path], None]) -> Death:
    """The server ends the connection to the books, and the command goes on until it notices.

    Args:
        cut: ends the connections to the books of a folder.
    """

    def die(home: Path, operation: Operation, now_us: int, moment: int) -> bool:
        moments = Moments(moment, lambda: cut(home))
        hands = Hands(Store.open(home), now_us)
        try:
            _live_until(hands, operation, moments)
        finally:
            hands.store.close()
        return moments.passed >= moment

    return Death("cuts", die)


IN_PROCESS: Final = Death("crashes", _in_process)
BY_KILL: Final = Death("kills", _by_kill)
