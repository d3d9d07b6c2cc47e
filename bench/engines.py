"""``python -m bench.engines``: the same month on DuckDB and on Spark, with the same lines.

Each engine works alone, in a process of its own. Processor time and memory are those of the whole
tree of processes, because Spark works in a Java of its own; its start is told apart.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import click

from bench.company import PERIOD
from bench.generate import make_home
from bench.measure import PROJECT
from tallybook.attribute.model import Attribution
from tallybook.clock import Period
from tallybook.post.basis import read_basis
from tallybook.post.compute import attributed
from tallybook.post.sheet import body_of
from tallybook.store import Store

ROWS = 1_000_000
TICKS_S = os.sysconf("SC_CLK_TCK")


@click.command()
@click.option("--rows", default=ROWS, show_default=True, help="Events in the month.")
@click.option("--master", default="local[2]", show_default=True, help="Where Spark runs.")
@click.option("--one", hidden=True, type=click.Choice(["duckdb", "spark"]))
@click.option("--home", hidden=True, type=click.Path(path_type=Path))
def main(rows: int, master: str, one: str | None, home: Path | None) -> None:
    """Rate in three layers, attribute and group a made-up month on both engines."""
    if one and home:
        click.echo(json.dumps(measured(one, home, master)))
        return
    with tempfile.TemporaryDirectory(prefix="tallybook-bench-") as folder:
        made = Path(folder) / "home"
        make_home(made, rows)
        found = {engine: _alone(engine, made, master) for engine in ("duckdb", "spark")}
    if found["duckdb"]["digest"] != found["spark"]["digest"]:
        raise AssertionError(f"the engines differ: {found}")
    for engine, took in found.items():
        click.echo(
            f"{engine:8}{rows:>12,} events  {took['lines']:,} lines  start {took['start_s']:.1f} s"
            f"  first {took['wall_s'][0]:.1f} s  second {took['wall_s'][1]:.1f} s"
            f"  CPU {took['cpu_s']:.1f} s  memory {took['peak_bytes'] / 1e6:,.0f} MB"
        )


def measured(engine: str, home: Path, master: str) -> dict[str, Any]:
    """Do it twice on one engine, the second time with everything warm."""
    begun = time.perf_counter()
    store = Store.open(home)
    if engine == "spark":
        _use_spark(store, master)
    start_s = time.perf_counter() - begun
    basis = read_basis(store, Period.parse(PERIOD))
    wall_s, sums = [], Attribution(())
    for _ in range(2):
        begun = time.perf_counter()
        sums = attributed(store, basis)
        wall_s.append(time.perf_counter() - begun)
    return {
        "start_s": start_s,
        "wall_s": wall_s,
        "cpu_s": sum(_cpu_s(process) for process in _tree()),
        "peak_bytes": sum(_peak_bytes(process) for process in _tree()),
        "lines": len(sums.lines),
        "digest": hashlib.sha256(body_of(sums).encode()).hexdigest(),
    }


def _use_spark(store: Store, master: str) -> None:
    from tallybook.store.spark import spark_engine  # noqa: PLC0415 - an extra

    engine = spark_engine(master)
    with engine.open(store.home, {"events": []}) as session:
        assert session is not None, "Spark started"
    store.lake.use(engine)


def _alone(engine: str, home: Path, master: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.engines", "--one", engine, "--home", str(home)]
    done = subprocess.run(
        [*command, "--master", master],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _tree() -> list[Path]:
    """This process and all that it started, as folders of ``/proc``."""
    parents = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and (fields := _fields(folder)):
            parents[int(folder.name)] = int(fields[1])
    found = {os.getpid()}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return [Path("/proc") / str(process) for process in found]


def _fields(folder: Path) -> list[str]:
    """What follows the name in ``stat``: state, parent, .."""
    try:
        return (folder / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _cpu_s(folder: Path) -> float:
    fields = _fields(folder)
    return (int(fields[11]) + int(fields[12])) / TICKS_S if fields else 0


def _peak_bytes(folder: Path) -> int:
    for line in (folder / "status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


if __name__ == "__main__":
    main()
