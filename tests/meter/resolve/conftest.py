"""Books that several sources tell of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from stores import Template
from tallybook.clock import Calendar, FixedClock
from tallybook.meter.ingest import ingest
from tallybook.meter.read import read_event
from tallybook.meter.resolve.decide import Suspect, decide, suspects
from tallybook.meter.resolve.evidence import Evidence, evidence
from tallybook.meter.resolve.seal import seal_usage
from tallybook.meter.sources.source import Reading
from tallybook.store import Store
from tallybook.store.commands import Command
from tallybook.store.seal import combined_digest

CALENDAR = Calendar("UTC", "2026-01")
OPEN_US = 1_790_000_000_000_000


@dataclass
class Given:
    """A source of canonical records with roles."""

    records: list[tuple[dict[str, Any], str]]
    name: str = "given"
    personal: tuple = ()

    def read(self) -> Iterator[Reading]:
        for n, (record, role) in enumerate(self.records):
            yield Reading(f"given:{n}", record, read_event(record), role)


@dataclass
class Books:
    """Books that are told things, and asked what bills."""

    store: Store
    home: Path
    ids: Any = field(default_factory=count)
    clock: FixedClock = field(default_factory=lambda: FixedClock(OPEN_US))
    calendar: Calendar = CALENDAR

    def tell(self, *records: tuple[dict[str, Any], str]) -> None:
        """One import, sealed at once."""
        result = ingest(
            self.store,
            Given(list(records)),
            clock=self.clock,
            new_id=lambda: f"s{next(self.ids)}",
            on_progress=None,
            reject_folder=self.home / "rejects",
        )
        assert result.rejected == 0
        assert result.quarantined == 0
        seal_usage(self.store, CALENDAR)

    def billed(self, *columns: str) -> list[tuple[Any, ...]]:
        """The columns of every event that bills, sorted."""
        lake = self.store.lake
        events = lake.snapshot()
        netting = [f for f in lake.snapshot(kinds=("events", "netting")).files if f.supersedes]
        with lake.session(events, type(events)(events.version, tuple(netting))) as session:
            anti = (
                "ANTI JOIN (SELECT source, supersedes FROM corrections WHERE supersedes <> '') s"
                " ON e.source = s.source AND e.event_id = s.supersedes"
                if netting
                else ""
            )
            names = ", ".join(f"e.{name}" for name in columns)
            rows = session._connection.execute(f"SELECT {names} FROM events e {anti}").fetchall()
        return sorted(rows, key=repr)

    def suspects(self) -> list[Suspect]:
        """What waits for a decision."""
        with self.store.read() as tx:
            return suspects(tx)

    def decide(self, verdict: str, *ids: str, reason: str = "looked at both") -> None:
        """Somebody decides."""
        command = Command("decide", {}, "ann")
        decide(self.store, CALENDAR, verdict, ids, reason, command, OPEN_US)

    def evidence(self, event_id: str, source: str = "") -> Evidence:
        """What was told of a call."""
        return evidence(self.store, CALENDAR, event_id, source)

    def digest(self) -> str:
        """The order-independent digest of all that was told."""
        files = self.store.lake.snapshot(kinds=("events", "evidence")).files
        return combined_digest([file.digest for file in files])


@pytest.fixture(scope="session")
def empty(tmp_path_factory):
    """Books without anything, to be copied."""
    return Template(tmp_path_factory.mktemp("empty"), lambda home, opened: opened(home).close())


@pytest.fixture
def books(new_books):
    return new_books()


@pytest.fixture
def new_books(empty, stores, tmp_path_factory):
    """Makes books, closed at the end."""
    made: list[Books] = []

    def make() -> Books:
        home = tmp_path_factory.mktemp("books") / "home"
        stores.copy(empty.home(stores.kind), home)
        made.append(Books(Store.open(home), home))
        return made[-1]

    yield make
    for one in made:
        one.store.close()
