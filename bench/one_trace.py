"""One trace of many calls through the commands: ingested, run, checked, explained."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree

from bench.company import PERIOD
from bench.figures import Figure
from bench.generate import make_books
from tallybook.clock import Period

CALLS = 1_000_000
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
_MEGABYTE = 1_000_000
_OUT = "out.txt"
_HEAD = 1 << 16
_MOST = {"run": (None, 1000), "explain": (10, 1000), "explain --json": (30, 1000)}
"""Targets: CPU seconds and MB, of a million calls."""
_CHILDREN = 8
"""Calls under each call, so that a million lie seven deep; half of them are one chain instead."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a command took, and how what it said begins."""

    cpu_s: float
    peak_bytes: int
    out: str


def one_trace_figures(work: Path, calls: int = CALLS) -> list[Figure]:
    """Take one trace through the commands, each a process of its own.

    Raises:
        AssertionError: a call was lost or counted twice.
    """
    home, told = work / f"one-trace-{calls}", work / f"one-trace-{calls}.jsonl"
    rmtree(home, ignore_errors=True)  # taking it in is measured, so each time the books are new
    make_books(home).close()
    write_trace(told, calls)
    steps = {
        "ingest": ("ingest", "jsonl", str(told)),
        "run": ("run", PERIOD),
        "check INV-11": ("check", "INV-11"),
        "explain": ("explain", TRACE),
        "customers": ("customers", PERIOD, "--json"),
        "explain --json": ("explain", TRACE, "--json"),
    }
    took = {name: done(home, *command) for name, command in steps.items()}
    told.unlink()
    assert f"{calls} accepted, 0 duplicate" in took["ingest"].out, took["ingest"].out
    assert f"{calls} nodes of traces" in took["check INV-11"].out, took["check INV-11"].out
    assert f"{calls:,} calls" in took["explain"].out, took["explain"].out[:200]
    (row,) = json.loads(took["customers"].out)["rows"]
    assert row["calls"] == calls, row
    with (home / _OUT).open(encoding="utf-8") as file:
        assert sum('"rolled_up": ' in line for line in file) == calls
    figures = []
    for name, one in took.items():
        most_s, most_mb = _MOST.get(name, (None, None))
        what = f"one trace of {calls:,} calls: {name}"
        figures.append(Figure(what, one.cpu_s, "CPU s", most=most_s))
        figures.append(Figure("  peak memory", one.peak_bytes / _MEGABYTE, "MB", most=most_mb))
    return figures


def write_trace(path: Path, calls: int) -> None:
    """Write the calls of one trace, of which only the root says whose they are."""
    started_at = f"{Period.parse(PERIOD)}-03T10:00:00Z"
    plain = {
        "source": "app", "started_at": started_at, "provider": "openai", "model": "gpt-4o",
        "tokens": {"input_uncached": 1000, "output": 200}, "trace_id": TRACE,
    }  # fmt: skip
    with path.open("w", encoding="utf-8") as file:
        for n in range(calls):
            event = {"event_id": f"e-{n}", "span_id": f"{n + 1:016x}", **plain}
            if n == 0:
                event |= {"team": "team-00", "customer": "c-1"}
            else:
                above = n - 1 if n < calls // 2 else (n - 1) // _CHILDREN
                event |= {"parent_span_id": f"{above + 1:016x}"}
            file.write(json.dumps(event) + "\n")


def done(home: Path, *command: str) -> Done:
    """Run one command on some books.

    Raises:
        AssertionError: it failed.
    """
    tallybook = Path(sys.executable).with_name("tallybook")
    out = home / _OUT
    with out.open("w", encoding="utf-8") as file:
        child = subprocess.Popen([str(tallybook), "--home", str(home), *command], stdout=file)
        _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    with out.open(encoding="utf-8") as file:
        said = file.read(_HEAD)
    assert child.returncode == 0, (command, said[-400:])
    return Done(used.ru_utime + used.ru_stime, used.ru_maxrss * 1024, said)
