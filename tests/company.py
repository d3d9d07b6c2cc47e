"""A tiny company on real books: SQLite, Parquet and DuckDB in a folder, and a clock that tests move.

Policy files are YAML text, events are plain dicts; everything goes through the code that the
command line calls.
"""

from __future__ import annotations

import itertools
import json
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from stores import kept_stores
from tallybook.books.documents import read_folder
from tallybook.check.check import check
from tallybook.clock import FixedClock, Period, parse_instant
from tallybook.close.adjust import approve, line_of, post, prepare
from tallybook.close.close import close
from tallybook.close.reopen import reopen
from tallybook.close.soft import soft_close
from tallybook.close.waive import waive
from tallybook.ledger.journal import entries
from tallybook.meter.ingest import ingest
from tallybook.meter.sources.jsonl import Jsonl
from tallybook.money import format_units
from tallybook.post.apply import apply_documents
from tallybook.post.basis import latest_books
from tallybook.post.pool import enter_actual
from tallybook.post.run import run
from tallybook.report.current import statements_of
from tallybook.report.issue import prepare_issue
from tallybook.report.rebuild import rebuild
from tallybook.store import Store
from tallybook.store.commands import Command

ORG = """
company: {name: Acme, currency: USD, fiscal_year_start: 2026-01, timezone: %s}
business_units:
  - {id: main, name: Main, legal_entity: acme-us}
teams:
  - {id: a, name: Team A, unit: main, cost_center: "1"}
  - {id: b, name: Team B, unit: main, cost_center: "2"}
  - {id: platform, name: Platform, unit: main, cost_center: "9"}
features:
  - {id: bot, team: a, name: Bot}
  - {id: find, team: b, name: Find}
services:
  - {id: retrieval, name: Retrieval, team: b, transfer: caller_pays}
keys:
  - {id: key-b, team: b, feature: find, purpose: production}
unowned: {team: platform}
"""

POLICY = """
versions:
  - effective_from: %s
    default: {model: real_cost, markup: "15%%"}
    pools:
      - {id: gateway, monthly: "30.00", driver: calls, recovered_by: markup}
      - {id: quality, driver: production_cost}
    evaluation: {funding: pooled, pool: quality}
    limits: {unallocated: "100%%"}
"""

PRICES = """
currency: USD
contracts:
  - {contract: C1, provider: X, model: x-1, per_million_tokens: {input_uncached: "10", output: "50"}}
  - {contract: C2, provider: Y, model: y-1, per_million_tokens: {input_uncached: "3", output: "7"}}
"""


def org(timezone: str = "UTC") -> str:
    return ORG % timezone


def policy(effective_from: str = "2026-01") -> str:
    return POLICY % effective_from


def usage(event_id: str = "e-1", **changes: object) -> dict[str, object]:
    """One event of team A at provider X: 1.00 at contract."""
    plain = {
        "event_id": event_id,
        "source": "gateway",
        "started_at": "2026-10-03T10:00:00Z",
        "provider": "X",
        "model": "x-1",
        "tokens": {"input_uncached": 50_000, "output": 10_000},
        "team": "a",
        "feature": "bot",
        "purpose": "production",
    }
    return {name: value for name, value in {**plain, **changes}.items() if value is not None}


class Company:
    """Books in ``home`` and the commands on them."""

    def __init__(
        self,
        home: Path,
        now: str = "2026-11-05T09:00:00Z",
        opened: Callable[[Path], Store] | None = None,
    ) -> None:
        self.home = home
        self.clock = FixedClock(parse_instant(now))
        self.store = (opened or kept_stores().open)(home)
        self._subjects = itertools.count()
        self._files: dict[str, str] = {}

    def apply(self, **files: str) -> dict[str, int]:
        """Write policy files (``org=``, ``policy=``, ``prices=``, ``budgets=``) and apply them all."""
        self._files |= files
        folder = self.home / "books"
        folder.mkdir(exist_ok=True)
        for kind, text in self._files.items():
            (folder / f"{kind}.yaml").write_text(text, encoding="utf-8")
        command = Command("apply", {"books": "books"}, "tester")
        return apply_documents(self.store, read_folder(folder), command, self.clock.now_us())

    def ingest(self, *events: dict[str, object], name: str = "in"):
        path = self.home / f"{name}.jsonl"
        path.write_text("".join(json.dumps(e) + "\n" for e in events), encoding="utf-8")
        return ingest(
            self.store,
            Jsonl([path]),
            clock=self.clock,
            new_id=lambda: f"s-{next(self._subjects)}",
            on_progress=None,
            reject_folder=self.home / "rejects",
        )

    def pool(self, period: str, pool: str, amount: str) -> int:
        command = Command("pool", {}, "tester")
        return enter_actual(
            self.store, Period.parse(period), pool, amount, command, self.clock.now_us()
        )

    def run(self, period: str = "2026-10"):
        """Run a month; one to come is waited for."""
        with self.store.read() as tx:
            start_us, _ = latest_books(tx)[0].calendar.bounds_us(Period.parse(period))
        self.clock.advance(max(0, start_us - self.clock.now_us()))
        return run(self.store, Period.parse(period), clock=self.clock, actor="tester")

    def waive(self, period: str, item: str) -> None:
        with self.store.write() as tx:
            waive(tx, period, item, estimate="1.00", reason="known", actor="cfo",
                  now_us=self.clock.now_us())  # fmt: skip

    def close(self, period: str = "2026-10"):
        return close(
            self.store,
            Period.parse(period),
            issuer=prepare_issue,
            clock=self.clock,
            actor="controller",
        )

    def soft_close(self, period: str = "2026-10", actor: str = "controller"):
        return soft_close(self.store, Period.parse(period), clock=self.clock, actor=actor)

    def adjust(self, *lines: str, period: str = "2026-10", about: str = "", **said):
        """Prepared by sam; ``lines`` such as ``Charge:a:bot=-1.00``."""
        with self.store.write() as tx:
            return prepare(
                tx,
                Period.parse(period),
                [line_of(line) for line in lines],
                about=Period.parse(about) if about else None,
                **{"text": "goodwill", "reason": "agreed", "support": "T-1", "actor": "sam"} | said,
                now_us=self.clock.now_us(),
            )

    def adjusted(self, *lines: str, period: str = "2026-10", about: str = "", **said):
        """Prepared by sam, approved and posted by the cfo."""
        made = self.adjust(*lines, period=period, about=about, **said)
        with self.store.write() as tx:
            approve(tx, made.id, actor="cfo", now_us=self.clock.now_us())
            return post(tx, made.id, actor="cfo", now_us=self.clock.now_us())

    def reopen(self, period: str = "2026-10", *, actor="controller", approved_by="cfo", reason="r"):
        with self.store.write() as tx:
            return reopen(tx, Period.parse(period), reason=reason, approved_by=approved_by,
                          actor=actor, now_us=self.clock.now_us())  # fmt: skip

    def rebuilt(self, period: str = "") -> dict[tuple[str, int], str]:
        """The first difference of each issued version made again; empty is none."""
        found = rebuild(self.store, Period.parse(period) if period else None)
        return {(one.period, one.version): one.difference for one in found}

    def statements(self, period: str = "2026-10", version: int | None = None):
        return statements_of(self.store, Period.parse(period), version)

    def journal(self, period: str | None = None):
        with self.store.read() as tx:
            return list(entries(tx, period))

    def balances(self, period: str | None = None) -> dict[str, str]:
        """Each account's balance as text in units, without zeros."""
        held: dict[str, int] = defaultdict(int)
        for entry in self.journal(period):
            for posting in entry.postings:
                held[posting.account] += posting.amount_nano
        return {account: plain(nano) for account, nano in sorted(held.items()) if nano}

    def failing(self, *names: str) -> dict[str, str]:
        """The checks that fail, with their details."""
        return {found.name: found.detail for found in check(self.store, names) if not found.ok}

    def dump(self) -> dict[str, list[tuple[object, ...]]]:
        """Every row of every table."""
        with self.store.read() as tx:
            return {
                table: sorted((tuple(row) for row in tx.rows(f'SELECT * FROM "{table}"')), key=repr)
                for table in tx.tables()
            }


def plain(nano: int) -> str:
    """An amount without trailing zeros, two decimals at least."""
    whole, _, places = format_units(nano, 9).partition(".")
    return f"{whole}.{places.rstrip('0').ljust(2, '0')}"
