"""The same month on SQLite and on PostgreSQL: what a server costs beside a file.

Ingest, run and verify of the same events, one store after the other. CPU time is that of this
process; that of the server's processes stands beside it, read from ``/proc`` on this machine.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from json import dumps
from pathlib import Path

import psycopg

from bench.company import PERIOD, write_books
from bench.figures import Figure
from bench.lines import event
from bench.measure import cpu_seconds
from tallybook.books.documents import read_folder
from tallybook.clock import FixedClock, Period
from tallybook.ledger.verify import verify
from tallybook.meter.ingest import ingest
from tallybook.meter.sources.jsonl import Jsonl
from tallybook.post.apply import apply_documents
from tallybook.post.run import run
from tallybook.store import Store
from tallybook.store.commands import Command

NOW_US = 1_790_900_000_000_000
STORES = ("sqlite", "postgresql")
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Step:
    """What one step took: CPU seconds here and at the server, and seconds of waiting."""

    cpu_s: float
    server_s: float
    wall_s: float


def figures(work: Path, database: str, rows: int) -> Iterator[Figure]:
    """Ratios of the one store to the other.

    Args:
        work: an empty folder.
        database: URL of an empty PostgreSQL database on this machine.
        rows: how many events.
    """
    lines = work / "events.jsonl"
    chance = random.Random(rows)
    with lines.open("w", encoding="utf-8") as file:
        file.writelines(dumps(event(n, 1, chance)) + "\n" for n in range(rows))
    took = {
        name: _lived(work / name, database if name != "sqlite" else "", lines) for name in STORES
    }
    for step in took["sqlite"]:
        file_, server = (took[name][step] for name in STORES)
        yield Figure(f"{step} of {rows:,} events, a file", file_.cpu_s, "CPU s")
        yield Figure("  waiting", file_.wall_s, "s")
        yield Figure("  a server: CPU of the command", server.cpu_s, "CPU s")
        yield Figure("  CPU of the server", server.server_s, "CPU s")
        yield Figure("  waiting", server.wall_s, "s")
        yield Figure("  CPU of both as a multiple", _all(server) / _all(file_), "x")
        yield Figure("  waiting as a multiple", server.wall_s / file_.wall_s, "x")


def _all(step: Step) -> float:
    return step.cpu_s + step.server_s


def _lived(home: Path, database: str, lines: Path) -> dict[str, Step]:
    """Ingest, run and verify on one store."""
    clock = FixedClock(NOW_US)
    store = Store.create(home, database)
    write_books(home / "books")
    command = Command("apply", {"books": "books"}, "bench")
    apply_documents(store, read_folder(home / "books"), command, clock.now_us())

    def bring_in() -> None:
        done = ingest(
            store,
            Jsonl([lines]),
            clock=clock,
            new_id=lambda: "s-1",
            on_progress=None,
            reject_folder=home / "rejects",
        )
        assert done.rejected + done.quarantined == 0, "the events are good"

    def proven() -> None:
        with store.read() as tx:
            assert verify(tx).ok, "nobody touched the chain"

    steps = {
        "ingest": bring_in,
        "run": lambda: run(store, Period.parse(PERIOD), clock=clock, actor="bench"),
        "verify": proven,
    }
    return {name: _took(store, database, act) for name, act in steps.items()}


def _took(store: Store, database: str, act: Callable[[], object]) -> Step:
    before_s = _server_seconds(database)
    cpu_s, wall_s = cpu_seconds(), time.perf_counter()
    act()
    cpu_s, wall_s = cpu_seconds() - cpu_s, time.perf_counter() - wall_s
    store.close()  # a server's process tells what it took when it ends
    return Step(cpu_s, _server_seconds(database) - before_s, wall_s)


def _server_seconds(database: str) -> float:
    """CPU seconds of a server: of its first process, those that ended, and those that live."""
    if not database:
        return 0
    with psycopg.connect(database) as connection:
        found = connection.execute("SELECT pg_backend_pid()").fetchone()
    assert found, "a server knows its process"
    time.sleep(0.2)
    with psycopg.connect(database) as connection:
        found = connection.execute("SELECT pg_backend_pid()").fetchone()
        assert found, "a server knows its process"
        parent = int(_stat(int(found[0]))[1])
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        ticks = sum(int(tick) for tick in _stat(parent)[11:15])
        ticks += sum(int(tick) for child in children for tick in _stat(int(child))[11:13])
    return ticks / _TICKS


def _stat(pid: int) -> list[str]:
    """The fields of ``/proc/PID/stat`` after the name, the state first."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
