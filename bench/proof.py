"""Verify a chain as the command does, in a process that has nothing else to it."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tallybook.ledger.verify import verify
from tallybook.store import Store

PROJECT = Path(__file__).parent.parent


class Proof(NamedTuple):
    """Entries verified on all cores; medians of waiting and of CPU seconds of all processes."""

    entries: int
    wall_s: float
    cpu_s: float


def proven_abreast(home: Path, repeat: int) -> Proof:
    """Verify a chain some times.

    Raises:
        AssertionError: the chain has a fault.
    """
    waited, worked = [], []
    for _ in range(repeat):
        command = [sys.executable, "-m", "bench.proof", str(home)]
        done = subprocess.run(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True, check=True)
        told = json.loads(done.stdout)
        assert told["ok"], "the chain that was made does not verify"
        waited.append(float(told["wall_s"]))
        worked.append(float(told["cpu_s"]))
    return Proof(int(told["entries"]), median(waited), median(worked))


def main() -> None:
    """Verify, and print what was found and how long it took."""
    home = Path(sys.argv[1])
    store = Store.open(home)
    began, used = time.perf_counter(), cpu_seconds()
    with store.read() as tx:
        found = verify(tx, home=home, processes=os.cpu_count() or 1)
    wall_s, cpu_s = time.perf_counter() - began, cpu_seconds() - used
    told = {"ok": found.ok, "entries": found.entries, "wall_s": wall_s, "cpu_s": cpu_s}
    print(json.dumps(told))


def cpu_seconds() -> float:
    """Of this process and of those that it started and that ended."""
    both = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in both)


if __name__ == "__main__":
    main()
