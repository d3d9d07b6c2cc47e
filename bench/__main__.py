"""``python -m bench``: measure, print a table of figures against their targets."""

from __future__ import annotations

import os
import platform
import secrets
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import click
import duckdb

from bench.figures import Figure, as_markdown, as_text
from bench.generate import make_larger
from bench.lines import new_events
from bench.measure import Took, measure, measure_in_turn

ROWS = 10_000_000
QUICK_ROWS = 1_000_000
MEGABYTE = 1_000_000
IN_TURN = ("bare", "attribute", "whole")


@click.command()
@click.option("--rows", type=int, help="Events in the month (10,000,000).")
@click.option("--repeat", type=int, help="How often each step is done; medians are told (3).")
@click.option("--quick", is_flag=True, help="1,000,000 events, each step once.")
@click.option("--hundred", is_flag=True, help="Also ten times the events.")
@click.option("--write", type=click.Path(path_type=Path), help="Also write the table to this page.")
@click.option("--folder", type=click.Path(path_type=Path), help="Keep the made-up books here.")
def main(
    rows: int | None,
    repeat: int | None,
    *,
    quick: bool,
    hundred: bool,
    write: Path | None,
    folder: Path | None,
) -> None:
    """Measure Tallybook against its targets, as ratios in one run on this machine."""
    rows = rows or (QUICK_ROWS if quick else ROWS)
    repeat = repeat or (1 if quick else 3)
    work = folder or Path(tempfile.mkdtemp(prefix="tallybook-bench-"))
    try:
        figures = _figures(work, rows, repeat, hundred=hundred)
    finally:
        if folder is None:
            shutil.rmtree(work, ignore_errors=True)
    click.echo(as_text(figures))
    if write:
        write.write_text(as_markdown(figures, _conditions(rows, repeat)), encoding="utf-8")


def _figures(work: Path, rows: int, repeat: int, *, hundred: bool) -> list[Figure]:
    home = _made(work / f"month-{rows}", lambda path: _make("month", path, rows))
    _say("rate, attribute, run")
    took = measure_in_turn(IN_TURN, home, repeat)
    figures = _month(took, rows)
    full = _made(work / f"claims-{rows}", lambda path: _make("claims", path, rows))
    _say("ingest, explain, apportion")
    seeds = [secrets.randbelow(1 << 40) for _ in range(repeat)]
    figures.append(_ingest(measure("bring_in", full, seeds), rows))
    explained = measure("one_line", home, range(repeat))
    figures.append(Figure(f"explain a line of {rows:,} events", explained.wall_s, "s", most=2))
    split = measure("split", home, range(repeat))
    figures.append(Figure("apportion 1,000,000 targets to the unit", split.cpu_s, "s", most=5))
    if hundred:
        larger = _made(work / f"month-{10 * rows}", lambda path: make_larger(path, home, 10))
        _say("ten times the events")
        figures += _larger(measure("attribute", larger, [0]), took["attribute"], rows)
    return figures


def _make(step: str, path: Path, number: int) -> None:
    measure(step, path, [number])


def _month(took: dict[str, Took], rows: int) -> list[Figure]:
    bare, attributed, whole = (took[name] for name in IN_TURN)
    if bare.result["pico"] != attributed.result["pico"]:
        raise AssertionError(f"bare sums to {bare.result}, rating to {attributed.result}")
    groups = bare.result["groups"]
    return [
        Figure(f"bare: {rows:,} events to {groups:,} groups", bare.cpu_s, "CPU s"),
        Figure("rate in three layers, attribute, group", attributed.cpu_s, "CPU s"),
        Figure("  as a multiple of bare", attributed.cpu_s / bare.cpu_s, "x", most=2),
        Figure("  peak memory", attributed.peak_bytes / MEGABYTE, "MB", most=1500),
        Figure(f"whole run, {whole.result['postings']:,} postings", whole.cpu_s, "CPU s"),
        Figure("  as a multiple of bare", whole.cpu_s / bare.cpu_s, "x", most=3),
        Figure("  peak memory", whole.peak_bytes / MEGABYTE, "MB", most=1500),
    ]


def _ingest(took: Took, rows: int) -> Figure:
    events = new_events(rows)
    if took.result["accepted"] != events:
        raise AssertionError(f"of {events} new events ingest accepted {took.result}")
    what = f"ingest with {rows:,} ids claimed, per core"
    return Figure(what, events / took.cpu_s, "events/s", least=20_000)


def _larger(took: Took, small: Took, rows: int) -> list[Figure]:
    return [
        Figure(f"{10 * rows:,} events against {rows:,}", took.cpu_s / small.cpu_s, "x", most=12),
        Figure("  peak memory", took.peak_bytes / MEGABYTE, "MB", most=1500),
    ]


def _made(path: Path, make: Callable[[Path], None]) -> Path:
    """Make books once: a folder that is there was finished by an earlier run."""
    if not path.is_dir():
        _say(f"making {path.name}")
        partial = path.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        make(partial)
        partial.rename(path)
    return path


def _say(what: str) -> None:
    print(f"{what} ..", file=sys.stderr, flush=True)


def _conditions(rows: int, repeat: int) -> str:
    return (
        f"{rows:,} events, medians of {repeat}; {os.cpu_count()} cores, Python"
        f" {platform.python_version()}, DuckDB {duckdb.__version__}."
    )


if __name__ == "__main__":
    main()
