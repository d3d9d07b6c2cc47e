"""Answers of `live` over a full month while usage comes in. ``python -m bench --live``.

A process beside it ingests files of canonical events, several batches a second. This one asks every
second; in between it keeps up four times a second, as the server and a watch do, and each answer
first takes in what came since. Both share the machine with whatever else it does: the load stands
beside the figures.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.company import FEATURES, SERVICES, TEAMS
from bench.figures import Figure
from tallybook.api.live import KEEP_UP_S
from tallybook.clock import format_instant, parse_instant
from tallybook.live.look import Watch
from tallybook.meter.ingest import ingest
from tallybook.meter.sources.jsonl import Jsonl
from tallybook.store import Store

PACE = 5_000
BATCHES = 5
"""a second"""
SECONDS = 60
QUICK_SECONDS = 15
MOST_MS = 300
STARTS_AT = "2026-09-30T23:00:00Z"
CALLS_A_TRACE = 4
_NEXT_US = parse_instant("2026-10-01T00:30:00Z")
_PROJECT = Path(__file__).parent.parent
_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class RunningClock:
    """A clock that was set to an instant of the made-up month and runs since."""

    began_ns: int

    def now_us(self) -> int:
        """Microseconds since 1970-01-01T00:00:00Z."""
        return _now_us(self.began_ns)


def _now_us(began_ns: int) -> int:
    return parse_instant(STARTS_AT) + (time.monotonic_ns() - began_ns) // 1_000


@dataclass(frozen=True, slots=True)
class Told:
    """What was measured; ``took_ms`` is of each answer.

    ``cold_s`` is of a command of its own; ``other_s`` of one that is the first of the next month.
    """

    took_ms: Sequence[float]
    cpu_ms: Sequence[float]
    first_s: float
    cold_s: float
    other_s: float
    written: int
    taken: int
    seconds: float
    load: float


def live_figures(home: Path, *, quick: bool) -> list[Figure]:
    """Measure over books that hold a month; what comes in is taken out again at the end."""
    kept = home / "book.sqlite"
    copy = home / "book.before-live"
    shutil.copyfile(kept, copy)
    try:
        told = _measured(home, QUICK_SECONDS if quick else SECONDS)
    finally:
        copy.replace(kept)
        for name in ("book.sqlite-wal", "book.sqlite-shm"):
            (home / name).unlink(missing_ok=True)
    ordered = sorted(told.took_ms)
    return [
        Figure("first answer: the month added up", told.first_s, "s"),
        Figure(f"answers, one a second, at the median of {len(ordered)}", _rank(ordered, 50), "ms"),
        Figure("  at the 95th percentile", _rank(ordered, 95), "ms", most=MOST_MS),
        Figure("  the slowest", ordered[-1], "ms"),
        Figure("  their CPU time, 95th percentile", _rank(sorted(told.cpu_ms), 95), "ms"),
        Figure("events written beside it", told.written / told.seconds, "events/s"),
        Figure("events taken in", told.taken / told.seconds, "events/s", least=0.9 * PACE),
        Figure("one `tallybook live --json`, process and all", told.cold_s, "s", most=5),
        Figure("  the first of the next month", told.other_s, "s", most=5),
        Figure(f"load of this machine, {os.cpu_count()} cores", told.load, ""),
    ]


def _rank(ordered: Sequence[float], percent: int) -> float:
    return ordered[-(-percent * len(ordered) // 100) - 1]


def _measured(home: Path, seconds: int) -> Told:
    folder = home / "live-lines"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    _write_lines(folder, seconds)
    store = Store.open(home)
    began_ns = time.monotonic_ns()
    with Watch(store, RunningClock(began_ns)) as watch:
        first = watch.look().live
        first_s = (time.monotonic_ns() - began_ns) / _NS
        watch.look()
        with _writer(home, folder) as (writer, start_ns):
            took, cpu = zip(*_asked(watch, seconds, start_ns), strict=True)
            ended = (time.monotonic_ns() - start_ns) / _NS
            taken = watch.look().live.month.calls - first.month.calls
            writer.wait(timeout=600)
        last = watch.look().live
    written = last.month.calls - first.month.calls
    if written != seconds * PACE:
        raise AssertionError(f"of {seconds * PACE} events {written} are in the answer")
    cold_s, other_s = (_process(home, at_us) for at_us in (_now_us(began_ns), _NEXT_US))
    store.close()
    shutil.rmtree(folder, ignore_errors=True)
    took_s = max(ended, seconds)
    return Told(took, cpu, first_s, cold_s, other_s, written, taken, took_s, os.getloadavg()[0])


def _process(home: Path, at_us: int) -> float:
    """Seconds of one command, its start and imports with it, as if it were a certain instant."""
    told = (
        "from tallybook import clock\n"
        f"clock.SystemClock.now_us = lambda _: {at_us}\n"
        "from tallybook.cli.main import main\n"
        "main()"
    )
    began_ns = time.monotonic_ns()
    command = [sys.executable, "-c", told, "--home", str(home), "live", "--json"]
    subprocess.run(command, cwd=_PROJECT, check=True, stdout=subprocess.DEVNULL)
    return (time.monotonic_ns() - began_ns) / _NS


@contextmanager
def _writer(home: Path, folder: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The process beside it, once it is ready; and the instant at which it began."""
    command = [sys.executable, "-m", "bench.live", str(home), str(folder)]
    writer = subprocess.Popen(
        command, cwd=_PROJECT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert writer.stdin
        assert writer.stdout
        writer.stdout.readline()
        start_ns = time.monotonic_ns()
        writer.stdin.write(f"{start_ns}\n")
        writer.stdin.flush()
        yield writer, start_ns
    finally:
        writer.kill()
        writer.communicate()


def _asked(watch: Watch, seconds: int, start_ns: int) -> Iterator[tuple[float, float]]:
    """Wall and CPU time of each answer, in milliseconds."""
    for second in range(1, seconds + 1):
        while (left_ns := start_ns + second * _NS - time.monotonic_ns()) > 0:
            time.sleep(min(left_ns / _NS, KEEP_UP_S))
            if start_ns + second * _NS - time.monotonic_ns() > KEEP_UP_S * _NS / 2:
                watch.keep_up()
        asked_ns, cpu_ns = time.monotonic_ns(), time.process_time_ns()
        watch.look()
        yield (
            (time.monotonic_ns() - asked_ns) / 1_000_000,
            (time.process_time_ns() - cpu_ns) / 1_000_000,
        )


def _write_lines(folder: Path, seconds: int) -> None:
    """The files of each batch. A trace's calls come in different batches, as they do."""
    chance = random.Random(seconds)
    count, start_us = PACE // BATCHES, parse_instant(STARTS_AT)
    for at in range(seconds * BATCHES):
        path = folder / f"{at:06d}.jsonl"
        with path.open("w", encoding="utf-8") as file:
            for n in range(count):
                us = start_us + (at * count + n) * 1_000_000 // PACE
                file.write(json.dumps(_event(at, n, us, chance)) + "\n")


def _event(at: int, n: int, started_us: int, chance: random.Random) -> dict[str, object]:
    trace, nth = f"{at // CALLS_A_TRACE:08x}{n:024x}", at % CALLS_A_TRACE
    feature = (at // CALLS_A_TRACE * 31 + n) % FEATURES
    model = chance.randrange(60)
    providers = ("anthropic", "azure", "bedrock", "google", "mistral", "openai")
    return {
        "event_id": f"live-{at}-{n}",
        "source": "gateway",
        "started_at": format_instant(started_us),
        "provider": providers[model // 10],
        "model": f"model-{model:02d}",
        "operation": "chat",
        "tokens": {
            "input_uncached": chance.randrange(1, 4000),
            "cache_read": chance.randrange(0, 60_000),
            "output": chance.randrange(1, 1500),
        },
        "team": f"team-{feature % TEAMS:03d}",
        "feature": f"feature-{feature:04d}",
        "purpose": "production",
        "endpoint": f"/v1/chat-{feature % 12}",
        "trace_id": trace,
        "span_id": f"{nth:016x}",
        **({"parent_span_id": f"{0:016x}"} if nth else {}),
        **({"service": f"service-{feature % SERVICES:02d}"} if n % 5 == 0 else {}),
        "key_id": f"vk-{feature % TEAMS:03d}-production",
        "response_id": f"resp-live-{at}-{n}",
    }


def _write(home: Path, folder: Path) -> None:
    """The process beside it: one batch after the other, each at its time."""
    store, paths = Store.open(home), sorted(folder.glob("*.jsonl"))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    start_ns = int(sys.stdin.readline())
    with store.held_open():
        for at, path in enumerate(paths):
            due_ns = start_ns + (at + 1) * _NS // BATCHES
            time.sleep(max(0, due_ns - time.monotonic_ns()) / _NS)
            ingest(
                store,
                Jsonl([path]),
                clock=RunningClock(start_ns),
                new_id=lambda: "",
                on_progress=None,
                reject_folder=home / "rejects",
            )
    store.close()


if __name__ == "__main__":
    _write(Path(sys.argv[1]), Path(sys.argv[2]))
