"""Claims that never expire: a claim table filled to any size, and what a batch costs on it.

Ids are digests, so a new one falls anywhere in the tree. The table is filled in several rounds,
each in the order of the tree but spread over all of it: pages split and fill as they do when ids
come by and by, and filling takes minutes instead of hours.
"""

from __future__ import annotations

import os
import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Figure
from bench.measure import cpu_seconds
from tallybook.store import Store, inbox
from tallybook.store.engine import BOOK

BATCH = 50_000
ROUNDS = 8
TRIES = 5
_FILL = """
WITH RECURSIVE
  numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :count),
  drawn AS MATERIALIZED (SELECT randomblob(16) AS key FROM numbers)
INSERT INTO claim SELECT key, key, 1 + :turn FROM drawn ORDER BY key
"""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one batch took."""

    cpu_s: float
    wall_s: float


def fill(home: Path, count: int) -> None:
    """Make books in which ``count`` ids are claimed, whatever ids."""
    Store.create(home).close()
    with sqlite3.connect(home / BOOK, isolation_level=None) as database:
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-524288"):
            database.execute(f"PRAGMA {pragma}")
        for turn in range(ROUNDS):
            database.execute(_FILL, {"turn": turn, "count": _share(count, turn)})
        database.execute("PRAGMA journal_mode=WAL")
    database.close()


def measured(home: Path) -> list[Figure]:
    """What batches of new and of known ids cost, with the file in memory and without."""
    with sqlite3.connect(home / BOOK) as database:
        (count,) = database.execute("SELECT COUNT(*) FROM claim").fetchone()
    database.close()
    size = (home / BOOK).stat().st_size
    chance = random.Random(os.urandom(16))
    new = (chance.randbytes(16) for _ in iter(int, 1))
    _warm(home / BOOK)
    held = _known(home, chance)
    store = Store.open(home)
    with store.held_open():
        fresh = _median(_claimed(store, keys) for keys in _batches(new))
        repeated = _median(_claimed(store, keys) for keys in _batches(held))
        cold = _median(_claimed(store, keys, _cool(home)) for keys in _batches(new))
        cold_held = _median(_claimed(store, keys, _cool(home)) for keys in _batches(held))
    store.close()
    return [
        Figure(f"claims of {count:,} ids, on disk", size / 1e9, "GB"),
        Figure("  for each id", size / count, "bytes"),
        *_pair("a batch of 50,000 new ids, file in memory", fresh),
        *_pair("a batch of 50,000 known ids, file in memory", repeated),
        *_pair("a batch of 50,000 new ids, file on disk", cold),
        *_pair("a batch of 50,000 known ids, file on disk", cold_held),
    ]


def _pair(what: str, took: Batch) -> list[Figure]:
    return [
        Figure(f"{what}, CPU for each", took.cpu_s * 1e6 / BATCH, "us"),
        Figure("  waiting for each", took.wall_s * 1e6 / BATCH, "us"),
    ]


def _share(count: int, turn: int) -> int:
    """How many of the ids fall into one round."""
    return count * (turn + 1) // ROUNDS - count * turn // ROUNDS


def _known(home: Path, chance: random.Random) -> Iterator[bytes]:
    """Ids that are claimed: the next one after any point."""
    with sqlite3.connect(home / BOOK) as database:
        while True:
            at = chance.randbytes(16)
            found = database.execute("SELECT key FROM claim WHERE key >= ? LIMIT 1", (at,))
            yield from (key for (key,) in found)


def _batches(keys: Iterator[bytes]) -> Iterator[list[bytes]]:
    """As many batches as are tried, of ids that differ."""
    for _ in range(TRIES):
        batch = {next(keys) for _ in range(BATCH)}
        yield list(batch)


def _claimed(store: Store, keys: list[bytes], before: Callable[[], None] = lambda: None) -> Batch:
    """Claim a batch in a transaction of its own, as ingest does."""
    before()
    cpu, wall = cpu_seconds(), time.perf_counter()
    with store.write() as tx:
        claims = inbox.claim(tx, 1_000_000, keys, keys)
    assert len(claims.fresh) + len(claims.duplicate) == len(keys), "ids were lost"
    return Batch(cpu_seconds() - cpu, time.perf_counter() - wall)


def _median(took: Iterator[Batch]) -> Batch:
    done = list(took)
    middle = len(done) // 2
    return Batch(
        sorted(one.cpu_s for one in done)[middle], sorted(one.wall_s for one in done)[middle]
    )


def _warm(path: Path) -> None:
    with path.open("rb") as file:
        while file.read(1 << 24):
            pass


def _cool(home: Path) -> Callable[[], None]:
    """Let the system forget the file's pages, so that they are read from the disk."""

    def cool() -> None:
        for path in home.glob(f"{BOOK}*"):
            with path.open("rb") as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    return cool
