"""A long chain verified by several processes, each on a stretch of its own.

A link's hash covers the one before it as the column says it, so a stretch can be recomputed alone.
Where two stretches meet, the end of the one is compared with what the other began from: number,
hash and closed periods. So nothing is taken on trust. If anything is not right, the caller walks
the whole chain again and names it.
"""

from __future__ import annotations

import atexit
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from copy import deepcopy
from functools import cache
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path

from tallybook.errors import StoreError
from tallybook.ledger.chain import head
from tallybook.ledger.fold import fold_faults, folded, orphan_faults
from tallybook.ledger.walk import Walk, walk_on
from tallybook.store import Store, Tx, sql_text
from tallybook.store.memory import collector_paused

LINKS_MIN = 100_000
"""What fewer are read in is little more than it takes to start a process."""
LINKS_EACH = 2_500
"""The links of a stretch: so few that no process waits long for the last one."""


def walked_abreast(tx: Tx, home: Path, expected_head: str, processes: int) -> Walk | None:
    """Verify the chain of these books up to the head that the transaction sees.

    The other processes may see a later snapshot. The journal only grows, so what they read up to
    that head is the same.

    Args:
        tx: a transaction.
        home: the folder of the same books.
        expected_head: the hash of any link, looked for on the way; empty: none.
        processes: how many work at once, this one among them.

    Returns:
        where the walk ended; None: the chain has one stretch only, or a fault.
    """
    tx.read_once()
    last = head(tx).seq
    if last < max(LINKS_MIN, 2 * LINKS_EACH):
        return None
    try:
        # This process may have threads, of an engine for one, so a copy of it would not be sound.
        with ProcessPoolExecutor(
            processes - 1, get_context("spawn"), _hold_open, (home,)
        ) as pool:  # fmt: skip
            pool.submit(Walk)  # they start meanwhile
            starts = list(_starts(tx, last))
            if starts[-1].seq <= last - 2 * LINKS_EACH:
                return None  # a number was forged: there are not so many links
            ends = [start.seq for start in starts[1:]] + [last]
            stretches = [
                pool.submit(_stretch, home, start, end, expected_head)
                for start, end in zip(starts, ends, strict=True)
            ]
            balances = folded(tx)
            # From the last one on, this process takes what no other has begun.
            own = {
                place: _walked(tx, deepcopy(starts[place]), ends[place], expected_head)
                for place in reversed(range(len(starts)))
                if stretches[place].cancel()
            }
            found = [
                own[place] if place in own else stretch.result()
                for place, stretch in enumerate(stretches)
            ]
            walks = [walk for walk in found if walk]
    except BrokenProcessPool:
        return None
    end = joined(starts, walks) if len(walks) == len(starts) else None
    if not end or any(orphan_faults(tx, end.postings)) or any(fold_faults(end, balances)):
        return None
    return end


def joined(starts: Sequence[Walk], walks: Sequence[Walk]) -> Walk | None:
    """Stretches as one walk, if each began where and as the one before it ended; else None."""
    for (before, _), (_, start) in pairwise(zip(walks, starts, strict=True)):
        if _place(before) != _place(start):
            return None
    entries = sum(walk.entries for walk in walks)
    found = any(walk.head_found for walk in walks)
    end = walks[-1]
    postings = sum(walk.postings for walk in walks)
    debit_nano = sum(walk.debit_nano for walk in walks)
    return Walk(
        end.seq,
        end.hash,
        entries,
        found,
        end.closed,
        end.soft_closed,
        end.next,
        postings,
        debit_nano,
    )


def _place(walk: Walk) -> tuple[object, ...]:
    return walk.seq, walk.hash, walk.closed, walk.soft_closed


def _starts(tx: Tx, last: int) -> Iterator[Walk]:
    """What a walk would know at the beginning of each stretch if all is right before it.

    They end where a link is missing.
    """
    yield Walk()
    acts, known, place = tx.rows(sql_text(__package__, "turns")), Walk(), 0
    for seq in range(LINKS_EACH, last - LINKS_EACH + 1, LINKS_EACH):
        while place < len(acts) and acts[place].seq <= seq:
            if not isinstance(acts[place].period, str):
                return  # damage, which the walk to it finds
            known.turn(acts[place].reason, acts[place].period)
            place += 1
        stored = tx.scalar("SELECT hash FROM chain WHERE seq = :seq", seq=seq)
        if stored is None:
            return
        yield Walk(
            seq,
            stored,
            closed=set(known.closed),
            soft_closed=set(known.soft_closed),
            next=seq + 1,
        )


def _stretch(home: Path, walk: Walk, last: int, expected_head: str) -> Walk | None:
    """The end of a walk from here to there; None: there is a fault."""
    try:
        with _opened(home).read() as tx:
            tx.read_once()
            return _walked(tx, walk, last, expected_head)
    except StoreError:
        return None


@cache
def _opened(home: Path) -> Store:
    """The books, opened once in a process that has many stretches to walk."""
    return Store(home)


def _hold_open(home: Path) -> None:
    """Keep the books open until this process ends, which has nothing else to do."""
    until_exit = ExitStack()
    until_exit.enter_context(_opened(home).held_open())
    atexit.register(until_exit.close)


def _walked(tx: Tx, walk: Walk, last: int, expected_head: str) -> Walk | None:
    with collector_paused():
        return None if any(walk_on(tx, walk, expected_head, last)) else walk
