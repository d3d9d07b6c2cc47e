"""``python -m bench``: measure, print a table of figures against their targets."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import click

from bench.beside import TOOLS, is_installed
from bench.chains import ENTRIES
from bench.claims import fill, measured
from bench.closing import LINES
from bench.closing import figures as close_figures
from bench.figures import Figure, as_text
from bench.forecast import figures as forecast_figures
from bench.forecast import is_there
from bench.gateway import figures as gateway_figures
from bench.generate import make_larger
from bench.graph import graph_figures
from bench.holding import figures as budget_figures
from bench.importers import importer_figures
from bench.lines import new_events
from bench.live import PACE, live_figures
from bench.measure import Took, measure, measure_in_turn
from bench.one_trace import CALLS, one_trace_figures
from bench.otlp import otlp_figures
from bench.page import as_markdown
from bench.proof import proven_abreast
from bench.reconciling import figures as bill_figures
from bench.record import conditions, keep
from bench.sdk import figures as hook_figures
from bench.stores import figures as store_figures
from bench.usage import figures as response_figures

ROWS = 10_000_000
QUICK_ROWS = 1_000_000
MEGABYTE = 1_000_000
IN_TURN = ("bare", "attribute", "whole", "again")
Measured = Iterator[tuple[str, str, list[Figure]]]
"""name of a section, its conditions, its figures"""


@click.command()
@click.option("--rows", type=int, help="Events in the month (10,000,000).")
@click.option("--repeat", type=int, help="How often each step is done; medians are told (3).")
@click.option("--quick", is_flag=True, help="1,000,000 events, each step once.")
@click.option("--hundred", is_flag=True, help="Also ten times the events.")
@click.option("--month", is_flag=True, help="Only the month, other tools and the chain.")
@click.option("--entries", type=int, default=ENTRIES, help="Entries of the chain (500,000).")
@click.option("--claims", type=int, help="Only the claims, with so many ids: 100000000.")
@click.option("--usage", is_flag=True, help="Only how fast responses are read.")
@click.option("--sdk", is_flag=True, help="Only what the hook adds to a call.")
@click.option("--gateway", is_flag=True, help="Only the gateway beside nginx.")
@click.option("--importers", is_flag=True, help="Only how fast logs of products come in.")
@click.option("--otlp", is_flag=True, help="Only how fast OpenTelemetry spans come in.")
@click.option("--live", is_flag=True, help="Only how fast `live` answers while usage comes in.")
@click.option("--graph", is_flag=True, help="Only a run over traces beside one over lone calls.")
@click.option("--chain", is_flag=True, help="Only how fast the chain is verified.")
@click.option("--reconcile", is_flag=True, help="Only events against provider invoices.")
@click.option("--close", is_flag=True, help="Only the close of a month with 300,000 posted lines.")
@click.option("--budgets", is_flag=True, help="Only what holding calls to budgets costs.")
@click.option("--forecast", is_flag=True, help="Only how often forecasts of budgets hold.")
@click.option("--postgres", metavar="URL", help="Only a file beside this empty database.")
@click.option(
    "--write", type=click.Path(path_type=Path), help="Also write the figures to this page."
)
@click.option("--folder", type=click.Path(path_type=Path), help="Keep the made-up books here.")
def main(
    rows: int | None,
    repeat: int | None,
    *,
    quick: bool,
    hundred: bool,
    month: bool,
    entries: int,
    claims: int | None,
    usage: bool,
    sdk: bool,
    gateway: bool,
    importers: bool,
    otlp: bool,
    graph: bool,
    chain: bool,
    reconcile: bool,
    close: bool,
    budgets: bool,
    forecast: bool,
    postgres: str | None,
    live: bool,
    write: Path | None,
    folder: Path | None,
) -> None:
    """Measure Tallybook against its targets, as ratios in one run on this machine."""
    rows = rows or (QUICK_ROWS if quick else ROWS)
    repeat = repeat or (1 if quick else 3)
    work = folder or Path(tempfile.mkdtemp(prefix="tallybook-bench-"))
    try:
        asked: tuple[tuple[object, Callable[[], Measured]], ...] = (
            (usage, _readings),
            (sdk, _hook),
            (gateway, lambda: _gateway(quick=quick)),
            (importers, lambda: _importers(work, repeat, quick=quick)),
            (otlp, lambda: _spans(repeat)),
            (graph, lambda: _graph(work, rows, repeat)),
            (chain, lambda: _proof(work, repeat, entries)),
            (reconcile, lambda: _bills(work, rows, repeat)),
            (close, lambda: _closing(work, repeat)),
            (budgets, _budgets),
            (forecast, _forecasts),
            (postgres, lambda: _stores(work, postgres or "", rows)),
            (live, lambda: _live(work, rows, quick=quick)),
            (claims, lambda: _claims(work, claims or 0)),
            (month, lambda: _books(work, rows, repeat, entries, hundred=hundred)),
            (True, lambda: _all(work, rows, repeat, entries, hundred=hundred)),
        )
        sections = next(make() for is_asked, make in asked if is_asked)
        for name, told, figures in sections:
            click.echo(f"{name}: {told}\n{as_text(figures)}\n")
            if write:
                page = as_markdown(keep(write, name, _conditions(told), figures))
                write.write_text(page, encoding="utf-8")
    finally:
        if folder is None:
            shutil.rmtree(work, ignore_errors=True)


def _readings() -> Measured:
    _say("read responses")
    yield "usage", "one core, CPU time", [*response_figures()]


def _hook() -> Measured:
    _say("meter calls in process")
    yield "sdk", "one core, CPU time, best of 40 rounds of 200 calls", [*hook_figures()]


def _gateway(*, quick: bool) -> Measured:
    _say("pass calls on")
    told = "one process on one core, load and provider on the other, in turn"
    yield "gateway", told, [*gateway_figures(quick=quick)]


def _importers(work: Path, repeat: int, *, quick: bool) -> Measured:
    _say("ingest logs of products")
    yield "importers", f"medians of {repeat}", importer_figures(work, repeat, quick=quick)


def _spans(repeat: int) -> Measured:
    _say("ingest spans")
    yield "otlp", f"one core, CPU time, the best of {repeat}", otlp_figures(repeat)


def _graph(work: Path, rows: int, repeat: int) -> Measured:
    home = _made(work / f"traces-{rows}", lambda path: _make("traces", path, rows))
    _say("walk traces")
    told = f"{rows:,} spans in traces of up to 64 levels, medians of {repeat}"
    figures = graph_figures(home, rows, repeat)
    _say("one trace")
    yield "graph", told, [*figures, *one_trace_figures(work, min(rows, CALLS))]


def _budgets() -> Measured:
    _say("hold calls to budgets")
    yield (
        "budgets",
        "one core, CPU time, the best of 5 rounds of 200,000 calls",
        [*budget_figures()],
    )


def _forecasts() -> Measured:
    if not is_there():
        _say("forecasts: skipped, the recorded demand is not beside the project")
        return
    _say("forecast budgets")
    yield "forecast", "recorded demand, five forecasts of each", [*forecast_figures()]


def _bills(work: Path, rows: int, repeat: int) -> Measured:
    home = _made(work / f"month-{rows}", lambda path: _make("month", path, rows))
    _say("reconcile")
    told = f"{rows:,} events, medians of {repeat}"
    yield "reconcile", told, bill_figures(home, rows, repeat)


def _closing(work: Path, repeat: int) -> Measured:
    home = _made(work / f"lines-{LINES}", lambda path: _make("posted_lines", path, LINES))
    _say("close")
    yield "close", f"medians of {repeat}", close_figures(home, repeat)


def _stores(work: Path, database: str, rows: int) -> Measured:
    _say("a file and a server")
    yield "stores", f"{rows:,} events, once", list(store_figures(work, database, rows))


def _live(work: Path, rows: int, *, quick: bool) -> Measured:
    home = _made(work / f"month-{rows}", lambda path: _make("month", path, rows))
    _say("answers while usage comes in")
    told = f"{rows:,} events in the month, {PACE:,} events/s beside"
    yield "live", told, live_figures(home, quick=quick)


def _all(work: Path, rows: int, repeat: int, entries: int, *, hundred: bool) -> Measured:
    yield from _books(work, rows, repeat, entries, hundred=hundred)
    yield from _rest(work, rows, repeat)


def _books(work: Path, rows: int, repeat: int, entries: int, *, hundred: bool) -> Measured:
    """A month from its events to its chain, and the same job in other tools."""
    home = _made(work / f"month-{rows}", lambda path: _make("month", path, rows))
    told = f"{rows:,} events, medians of {repeat}"
    _say("rate, attribute, run, run again")
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
    yield "month", told, figures
    yield "again", told, _second(took["again"], took["whole"])
    _say("the same job in other tools")
    yield "beside", told, _beside(home, took["bare"], repeat)
    yield from _proof(work, repeat, entries)
    if hundred:
        larger = _made(work / f"month-{10 * rows}", lambda path: make_larger(path, home, 10))
        _say("ten times the events")
        yield "hundred", f"{10 * rows:,} events, once", _larger(larger, took, rows)


def _rest(work: Path, rows: int, repeat: int) -> Measured:
    """What comes in, and what it is held against."""
    yield from _readings()
    yield from _hook()
    yield from _importers(work, repeat, quick=rows <= QUICK_ROWS)
    yield from _spans(repeat)
    yield from _bills(work, rows, repeat)
    yield from _closing(work, repeat)


def _make(step: str, path: Path, number: int) -> None:
    measure(step, path, [number])


def _month(took: dict[str, Took], rows: int) -> list[Figure]:
    bare, attributed, whole = (took[name] for name in IN_TURN[:3])
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


def _second(again: Took, whole: Took) -> list[Figure]:
    posted = f"{again.result['postings']:,} postings"
    return [
        Figure("first run", whole.cpu_s, "CPU s"),
        Figure(f"second run after 10,000 events, {posted}", again.cpu_s, "CPU s"),
        Figure("  waiting", again.wall_s, "s"),
        Figure("  as a multiple of the first", again.cpu_s / whole.cpu_s, "x"),
    ]


def _ingest(took: Took, rows: int) -> Figure:
    events = new_events(rows)
    if took.result["accepted"] != events:
        raise AssertionError(f"of {events} new events ingest accepted {took.result}")
    what = f"ingest with {rows:,} ids claimed, per core"
    return Figure(what, events / took.cpu_s, "events/s", least=20_000)


def _beside(home: Path, bare: Took, repeat: int) -> list[Figure]:
    figures = _tool("DuckDB, bare", bare, bare)
    for tool in TOOLS:
        if not is_installed(tool):
            _say(f"{tool} is not installed: left out")
            continue
        figures += _tool(tool, measure(tool, home, range(repeat)), bare)
    return figures


def _tool(name: str, took: Took, bare: Took) -> list[Figure]:
    off = abs(took.result["pico"] - bare.result["pico"])
    return [
        Figure(f"{name}: CPU", took.cpu_s, "CPU s"),
        Figure("  waiting", took.wall_s, "s"),
        Figure("  peak memory", took.peak_bytes / MEGABYTE, "MB"),
        Figure("  total is off by", off, "pico"),
    ]


def _chain(home: Path, repeat: int) -> list[Figure]:
    alone = measure("prove", home, range(repeat))
    shared = proven_abreast(home, repeat)
    if not alone.result["ok"] or alone.result["entries"] != shared.entries:
        raise AssertionError("the chain that was made does not verify")
    entries, cores = shared.entries, os.cpu_count() or 1
    return [
        Figure(
            f"verify, on {cores} cores, waiting",
            entries / shared.wall_s,
            "entries/s",
            least=200_000,
        ),
        Figure("  by CPU time of all processes", entries * cores / shared.cpu_s, "entries/s"),
        Figure("verify, per core, CPU time", entries / alone.cpu_s, "entries/s"),
        Figure("  peak memory", alone.peak_bytes / MEGABYTE, "MB"),
    ]


def _claims(work: Path, count: int) -> Measured:
    home = _made(work / f"claims-only-{count}", lambda path: fill(path, count))
    _say("claims")
    yield "claims", f"{count:,} ids, medians of 5 batches", measured(home)


def _proof(work: Path, repeat: int, entries: int) -> Measured:
    home = _made(work / f"chain-{entries}", lambda path: _make("chain", path, entries))
    _say("verify")
    yield "chain", f"{entries:,} entries, medians of {repeat}", _chain(home, repeat)


def _larger(home: Path, took: dict[str, Took], rows: int) -> list[Figure]:
    many, few = measure("attribute", home, [0]), took["attribute"]
    whole, again = measure("whole", home, [0]), measure("again", home, [0])
    return [
        Figure("rate in three layers, attribute, group", many.cpu_s, "CPU s"),
        Figure(f"  as a multiple of {rows:,} events", many.cpu_s / few.cpu_s, "x", most=12),
        Figure("  peak memory", many.peak_bytes / MEGABYTE, "MB", most=1500),
        *_second(again, whole),
        Figure("peak memory of the first run", whole.peak_bytes / MEGABYTE, "MB", most=1500),
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


def _conditions(told: str) -> str:
    return conditions(told, datetime.now(UTC).date().isoformat())


if __name__ == "__main__":
    main()
