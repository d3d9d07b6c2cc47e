"""The measured steps. Each runs alone in a process: ``python -m bench.steps STEP HOME [NUMBER]``.

What a step prepares is not timed: its act returns a function, and only calling that is.
"""

from __future__ import annotations

import json
import os
import resource
import secrets
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from bench.beside import JOBS
from bench.chains import make_chain
from bench.closing import closed, make_lines
from bench.company import PERIOD
from bench.generate import add_events, make_graph, make_home
from bench.importers import litellm
from bench.lines import claim_ids, write_lines
from bench.measure import cpu_seconds
from bench.reconciling import matched
from tallybook.books.meters import TOKEN_CLASSES
from tallybook.clock import FixedClock, Period
from tallybook.ledger.verify import verify
from tallybook.live.requests import requests
from tallybook.meter.ingest import ingest
from tallybook.meter.sources.jsonl import Jsonl
from tallybook.money import apportion
from tallybook.post.basis import read_basis
from tallybook.post.compute import attributed, metering_of, price_rows
from tallybook.post.run import run
from tallybook.rate.model import PriceRow
from tallybook.report.explain import explain
from tallybook.store import Store, sql_text
from tallybook.store.lake import ColumnType, Lake

NOW_US = 1_790_900_000_000_000
TARGETS = 1_000_000
NEW_EVENTS = 10_000
Act = Callable[[], dict[str, int]]


def bare(home: Path, stack: ExitStack, _number: int) -> Act:
    """Scan, join to the contract layer alone, sum, group, materialise."""
    store = Store.open(home)
    basis = read_basis(store, Period.parse(PERIOD))
    meters = metering_of(basis).meters
    session = stack.enter_context(store.lake.session(basis.snapshot))
    types, values = _one_layer(price_rows(basis), meters)
    session.table("price", types, values)
    terms = [
        f"COALESCE({f'e.{meter}' if meter in TOKEN_CLASSES else _unit(meter)}, 0) * p.price_{i}"
        for i, meter in enumerate(meters)
    ]
    statement = sql_text("bench", "bare").format(amount=" + ".join(terms))

    def act() -> dict[str, int]:
        session.run(statement)
        ((groups, pico),) = session.rows("SELECT COUNT(*), CAST(SUM(pico) AS HUGEINT) FROM bare")
        return {"groups": groups, "pico": int(pico)}

    return act


def attribute(home: Path, _stack: ExitStack, _number: int) -> Act:
    """Rate in three layers, attribute, group: all that a run does between files and allocation."""
    store = Store.open(home)
    basis = read_basis(store, Period.parse(PERIOD))

    def act() -> dict[str, int]:
        lines = attributed(store, basis).lines
        return {"lines": len(lines), "pico": sum(line.contract_pico for line in lines)}

    return act


def whole(home: Path, stack: ExitStack, number: int) -> Act:
    """The run, from nothing posted; the books are put back afterwards."""
    _put_back(home, stack)
    return post(home, stack, number)


def flat(home: Path, stack: ExitStack, number: int) -> Act:
    """The run as if no call named a parent; the books are put back afterwards."""
    Lake.may_link = lambda *_given, **_named: False  # type: ignore[method-assign]
    return whole(home, stack, number)


def requested(home: Path, _stack: ExitStack, _number: int) -> Act:
    """What whole requests of the month cost."""
    store = Store.open(home)

    def act() -> dict[str, int]:
        found = requests(store, Period.parse(PERIOD)).traces
        return {"traces": found.requests, "calls": found.calls} if found else {}

    return act


def traces(home: Path, _stack: ExitStack, number: int) -> Act:
    """Make books of ``number`` spans in traces, where there are none."""

    def act() -> dict[str, int]:
        make_graph(home, number)
        return {"rows": number}

    return act


def post(home: Path, _stack: ExitStack, _number: int) -> Act:
    """The run as the books stand; they stay as it leaves them."""
    store = Store.open(home)

    def act() -> dict[str, int]:
        result = run(store, Period.parse(PERIOD), clock=FixedClock(NOW_US), actor="bench")
        return {"events": result.events, "postings": result.postings}

    return act


def again(home: Path, stack: ExitStack, number: int) -> Act:
    """A second run, after 10,000 new events; the books are put back afterwards."""
    _put_back(home, stack)
    _first_run(home)
    new = add_events(home, NEW_EVENTS, number)
    stack.callback(new.unlink)
    return post(home, stack, number)


def polars(home: Path, _stack: ExitStack, _number: int) -> Act:
    """The job of `bare` in Polars."""
    return _beside(home, "polars")


def pandas(home: Path, _stack: ExitStack, _number: int) -> Act:
    """The job of `bare` in pandas."""
    return _beside(home, "pandas")


def _beside(home: Path, tool: str) -> Act:
    store = Store.open(home)
    basis = read_basis(store, Period.parse(PERIOD))
    paths = [store.lake.path(file) for file in basis.snapshot.files]
    rows, meters = price_rows(basis), metering_of(basis).meters
    return lambda: JOBS[tool](paths, rows, meters)


def bring_in(home: Path, _stack: ExitStack, number: int) -> Act:
    """Ingest: parse, hash, claim among the ids that are claimed already, write, fsync."""
    store = Store.open(home)
    path = write_lines(home, number)

    def act() -> dict[str, int]:
        result = ingest(
            store,
            Jsonl([path]),
            clock=FixedClock(NOW_US),
            new_id=lambda: secrets.token_hex(8),
            on_progress=None,
            reject_folder=home / "rejects",
        )
        return {"accepted": result.accepted, "rejected": result.rejected}

    return act


def one_line(home: Path, stack: ExitStack, _number: int) -> Act:
    """Explain a feature's usage, back to its calls; the books are put back afterwards."""
    _put_back(home, stack)
    _first_run(home)
    store = Store.open(home)
    with store.read() as tx:
        line = tx.scalar(
            "SELECT MIN(line) FROM posting WHERE seq = 1 AND feature <> '' AND kind = 'usage'"
        )

    def act() -> dict[str, int]:
        found = explain(store, f"E-000001:{line}")
        return {"calls": found.calls.count, "nano": found.posted_nano}

    return act


def month(home: Path, _stack: ExitStack, number: int) -> Act:
    """No measure: make books with ``number`` sealed events."""

    def act() -> dict[str, int]:
        make_home(home, number)
        return {}

    return act


def claims(home: Path, _stack: ExitStack, number: int) -> Act:
    """No measure: make books in which ``number`` ids are claimed."""

    def act() -> dict[str, int]:
        claim_ids(home, number)
        return {}

    return act


def chain(home: Path, _stack: ExitStack, number: int) -> Act:
    """No measure: make books with ``number`` entries."""

    def act() -> dict[str, int]:
        make_chain(home, number)
        return {}

    return act


def posted_lines(home: Path, _stack: ExitStack, number: int) -> Act:
    """No measure: make books whose open month has about ``number`` posted lines."""

    def act() -> dict[str, int]:
        make_lines(home, number)
        return {}

    return act


def prove(home: Path, _stack: ExitStack, _number: int) -> Act:
    """Verify the chain: every hash, every sum, every balance."""
    store = Store.open(home)

    def act() -> dict[str, int]:
        with store.read() as tx:
            found = verify(tx)
        return {"entries": found.entries, "ok": int(found.ok)}

    return act


def split(_home: Path, _stack: ExitStack, number: int) -> Act:
    """Apportion an amount over a million targets."""
    keys = [f"target-{n}" for n in range(TARGETS)]
    weights = [1 + (n * 7919 + number) % 100_003 for n in range(TARGETS)]

    def act() -> dict[str, int]:
        total = 123_456_789_012_345_678
        return {"exact": int(sum(apportion(total, weights, keys, "bench")) == total)}

    return act


_ACTS = (
    bare, attribute, whole, post, again, polars, pandas, bring_in, one_line, chain, prove, split,
    month, claims, litellm, matched, flat, requested, traces, posted_lines, closed,
)  # fmt: skip
STEPS = {act.__name__: act for act in _ACTS}


def main() -> None:
    """Prepare a step, do it, print what it took as JSON."""
    name, home, number = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    with ExitStack() as stack:
        act = STEPS[name](home, stack, number)
        cpu, wall = cpu_seconds(), time.perf_counter()
        result = act()
        cpu, wall = cpu_seconds() - cpu, time.perf_counter() - wall
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"cpu_s": cpu, "wall_s": wall, "peak_bytes": peak, "result": result}))


def _one_layer(
    rows: list[PriceRow], meters: tuple[str, ...]
) -> tuple[dict[str, ColumnType], list[tuple[object, ...]]]:
    texts = ("provider", "model", "tier", "region")
    wholes = ("from_us", "to_us", "context_over", "context_upto")
    types: dict[str, ColumnType] = dict.fromkeys(texts, "text")
    types |= dict.fromkeys(wholes, "whole")
    types |= {f"price_{i}": "whole" for i in range(len(meters))}
    values = [
        (
            *(getattr(row, name) for name in (*texts, *wholes)),
            *((row.contract or {}).get(meter, 0) for meter in meters),
        )
        for row in rows
    ]
    return types, values


def _unit(meter: str) -> str:
    return f"e.units['{meter}']"


def _put_back(home: Path, stack: ExitStack) -> None:
    database = home / "book.sqlite"
    before = database.read_bytes()
    stack.callback(lambda: _restore(database, before))


def _first_run(home: Path) -> None:
    """In a process of its own, so that nothing of it is in memory here."""
    subprocess.run(
        [sys.executable, "-m", "bench.steps", "post", str(home), "0"],
        stdout=subprocess.DEVNULL,
        check=True,
    )


def _restore(database: Path, before: bytes) -> None:
    for suffix in ("-wal", "-shm"):
        Path(f"{database}{suffix}").unlink(missing_ok=True)
    with database.open("wb") as file:
        file.write(before)
        os.fsync(file.fileno())


if __name__ == "__main__":
    main()
