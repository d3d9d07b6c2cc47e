"""Verify a chain as the command does, in a process that has nothing else to it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from tallybook.ledger.verify import verify
from tallybook.store import Store

PROJECT = Path(__file__).parent.parent


def proven_abreast(home: Path, repeat: int) -> tuple[int, float]:
    """Entries verified on all cores, and the median of the seconds that it takes.

    Raises:
        AssertionError: the chain has a fault.
    """
    took = []
    for _ in range(repeat):
        command = [sys.executable, "-m", "bench.proof", str(home)]
        done = subprocess.run(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True, check=True)
        told = json.loads(done.stdout)
        assert told["ok"], "the chain that was made does not verify"
        took.append(float(told["wall_s"]))
    return int(told["entries"]), median(took)


def main() -> None:
    """Verify, and print what was found and how long it took."""
    home = Path(sys.argv[1])
    store = Store.open(home)
    began = time.perf_counter()
    with store.read() as tx:
        found = verify(tx, home=home, processes=os.cpu_count() or 1)
    wall_s = time.perf_counter() - began
    print(json.dumps({"ok": found.ok, "entries": found.entries, "wall_s": wall_s}))


if __name__ == "__main__":
    main()
