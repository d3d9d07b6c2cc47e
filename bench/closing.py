"""The close of a month with very many posted lines, on SQLite.

Each feature is used for each purpose at each provider, one call each, so that lines are many and
events are few: the close is measured, not the scan.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from bench.figures import Figure
from bench.measure import measure
from tallybook.books.documents import read_folder
from tallybook.books.model import PURPOSES
from tallybook.clock import FixedClock, Period, parse_instant
from tallybook.close.close import close
from tallybook.meter.ingest import ingest
from tallybook.meter.sources.jsonl import Jsonl
from tallybook.post.apply import apply_documents
from tallybook.post.run import run
from tallybook.report.issue import prepare_issue
from tallybook.store import Store
from tallybook.store.commands import Command

PERIOD = "2026-10"
CLOSED_AT = "2026-11-05T09:00:00Z"
LINES = 300_000
PROVIDERS = 15
TEAMS = 100
LINES_A_CELL = 3
"""Cost, charge and markup."""
SECONDS_MOST = 60
MEGABYTE = 1_000_000
Act = Callable[[], dict[str, int]]


def make_lines(home: Path, lines: int = LINES) -> None:
    """Books whose open month has about so many posted lines, and has run."""
    store = Store.create(home)
    features = -(-lines // (LINES_A_CELL * len(PURPOSES) * PROVIDERS))
    folder = home / "books"
    folder.mkdir()
    for name, text in _files(features).items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    clock = FixedClock(parse_instant(CLOSED_AT))
    command = Command("apply", {"books": "books"}, "bench")
    apply_documents(store, read_folder(folder), command, clock.now_us())
    path = home / "calls.jsonl"
    with path.open("w", encoding="utf-8") as out:
        out.writelines(json.dumps(event) + "\n" for event in _events(features))
    ingest(
        store,
        Jsonl([path]),
        clock=clock,
        new_id=lambda: "s-1",
        on_progress=None,
        reject_folder=home / "rejects",
    )
    run(store, Period.parse(PERIOD), clock=clock, actor="bench")
    store.close()


def closed(home: Path, stack: ExitStack, number: int) -> Act:
    """Close the month of a copy of a home that `make_lines` made."""
    copy = home.with_name(f"{home.name}-{number}")
    shutil.copytree(home, copy)
    stack.callback(shutil.rmtree, copy, ignore_errors=True)
    store = Store.open(copy)
    stack.callback(store.close)
    clock = FixedClock(parse_instant(CLOSED_AT))

    def act() -> dict[str, int]:
        done = close(store, Period.parse(PERIOD), issuer=prepare_issue, clock=clock, actor="bench")
        with store.read() as tx:
            postings = int(tx.scalar("SELECT COUNT(*) FROM posting"))
        return {"version": done.version, "lines": postings}

    return act


def figures(home: Path, repeat: int) -> list[Figure]:
    """What the close takes, against its target."""
    took = measure("closed", home, range(repeat))
    lines = took.result["lines"]
    return [
        Figure(f"close a month with {lines:,} posted lines", took.wall_s, "s", most=SECONDS_MOST),
        Figure("  CPU", took.cpu_s, "CPU s"),
        Figure("  peak memory", took.peak_bytes / MEGABYTE, "MB"),
    ]


def _files(features: int) -> dict[str, str]:
    teams = min(TEAMS, features)
    rows = "".join(
        f"  - {{id: t{n}, name: Team {n}, unit: main, cost_center: '{n}'}}\n" for n in range(teams)
    )
    owned = "".join(
        f"  - {{id: f{n}, team: t{n % teams}, name: Feature {n}}}\n" for n in range(features)
    )
    org = (
        "company: {name: Bench, currency: USD, fiscal_year_start: 2026-01, timezone: UTC}\n"
        "business_units:\n  - {id: main, name: Main, legal_entity: bench}\n"
        f"teams:\n{rows}  - {{id: platform, name: Platform, unit: main, cost_center: p}}\n"
        f"features:\n{owned}unowned: {{team: platform}}\n"
    )
    policy = (
        "versions:\n  - effective_from: 2026-01\n"
        '    default: {model: real_cost, markup: "15%"}\n'
        "    pools:\n"
        '      - {id: gateway, monthly: "3000.00", driver: calls, recovered_by: markup}\n'
        '    limits: {unallocated: "1%"}\n'
    )
    prices = "currency: USD\ncontracts:\n" + "".join(
        f"  - {{contract: C{n}, provider: p{n}, model: m{n},"
        f' per_million_tokens: {{input_uncached: "{n + 1}.37", output: "{n + 4}.11"}}}}\n'
        for n in range(PROVIDERS)
    )
    return {"org": org, "policy": policy, "prices": prices}


def _events(features: int) -> Iterator[dict[str, object]]:
    teams = min(TEAMS, features)
    number = 0
    for feature in range(features):
        for purpose in PURPOSES:
            for provider in range(PROVIDERS):
                number += 1
                yield {
                    "event_id": f"e-{number}",
                    "source": "bench",
                    "started_at": f"2026-10-{number % 28 + 1:02}T12:00:00Z",
                    "provider": f"p{provider}",
                    "model": f"m{provider}",
                    "tokens": {"input_uncached": 1_000 + number % 977, "output": number % 89},
                    "team": f"t{feature % teams}",
                    "feature": f"f{feature}",
                    "purpose": purpose,
                }
