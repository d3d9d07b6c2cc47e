"""Three months in the life of the company, through the services that its people would call.

Nothing here reads or writes the books itself: files are written, ingested, applied, run and closed
with the public services, each at the instant at which a person would have done it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from tallybook.books.documents import read_folder
from tallybook.clock import FixedClock, Period, parse_instant
from tallybook.close.checklist import Item
from tallybook.close.close import check_close, close
from tallybook.close.waive import waive
from tallybook.meter.ingest import IngestResult, ingest
from tallybook.meter.sources.jsonl import Jsonl
from tallybook.meter.sources.registry import open_product
from tallybook.post.apply import apply_documents
from tallybook.post.basis import latest_books
from tallybook.post.pool import enter_actual
from tallybook.post.run import run
from tallybook.report.issue import prepare_issue
from tallybook.sim import company
from tallybook.sim.deliveries import Deliveries, deliveries_of, write_jsonl, write_spans
from tallybook.sim.traffic import TODAY
from tallybook.store import Store
from tallybook.store.commands import Command, log_command

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the company's things lie: its books, its policy files and its events."""

    home: Path
    events: Path

    @property
    def policy(self) -> Path:
        """The folder of the policy files, where `tallybook init` puts it."""
        return self.home / "books"


class Life:
    """The company's months as they pass.

    Args:
        store: empty books.
        place: where files go.
        seed: the same seed lives the same months.
        scale: divides the number of calls; 1 is the full size.
        tell: is told what happens, one line at a time.
    """

    def __init__(self, store: Store, place: Place, seed: int, scale: int, tell: Tell) -> None:
        self._store, self._place, self._tell = store, place, tell
        self._seed, self._scale = seed, scale
        self._clock = FixedClock(parse_instant(company.WRITTEN))
        self._files = company.first_files()
        self._subjects = count(1)

    def live(self) -> None:
        """All months: two are closed, the third is open and drafted."""
        self._apply(company.PLATFORM)
        august, september = company.CLOSED_MONTHS
        late = self._month(august, "2026-09-01T06:00:00Z")
        self._close(august, "2026-09-04T14:00:00Z")
        self._decide(company.SEPTEMBER)
        self._at("2026-09-20T07:15:00Z")
        name = f"{august}-late.jsonl"
        self._ingest(write_jsonl(late.late, self._place.events / name))
        self._month(september, "2026-10-01T06:00:00Z")
        self._waive(september, "2026-10-05T09:00:00Z")
        self._close(september, "2026-10-05T14:00:00Z")
        self._month(company.OPEN_MONTH, TODAY)
        result = run(
            self._store,
            Period.parse(company.OPEN_MONTH),
            clock=self._clock,
            actor=company.PLATFORM,
        )
        self._tell(f"{company.OPEN_MONTH}: {result.events:,} calls so far, drafted, not closed")

    def _at(self, instant: str) -> None:
        self._clock.advance(parse_instant(instant) - self._clock.now_us())

    def _apply(self, actor: str) -> None:
        for name, text in self._files.items():
            (self._place.policy / name).write_text(text, encoding="utf-8")
        command = Command("apply", {"books": str(self._place.policy)}, actor)
        wanted = read_folder(self._place.policy)
        changed = apply_documents(self._store, wanted, command, self._clock.now_us())
        versions = ", ".join(f"{kind} {version}" for kind, version in changed.items())
        self._tell(f"policy files applied: {versions}")

    def _decide(self, decision: company.Decision) -> None:
        self._at(decision.at)
        self._files = company.decided(self._files, decision)
        self._apply(decision.actor)

    def _month(self, period: str, arrival: str) -> Deliveries:
        with self._store.read() as tx:
            zone = latest_books(tx)[0].org.company.timezone
        made = deliveries_of(period, zone, self._seed, self._scale)
        self._at(arrival)
        folder = self._place.events
        self._ingest(write_jsonl(made.first, folder / f"{period}.jsonl"))
        self._ingest(write_jsonl(made.second, folder / f"{period}-second.jsonl"))
        self._ingest(write_spans(made.runs, folder / f"{period}-agents.jsonl"), "otel")
        return made

    def _ingest(self, path: Path, source: str = "jsonl") -> IngestResult:
        result = ingest(
            self._store,
            Jsonl([path]) if source == "jsonl" else open_product(source, [path]),
            clock=self._clock,
            new_id=lambda: f"subject-{next(self._subjects):08d}",
            on_progress=None,
            reject_folder=self._place.home / "rejects",
        )
        args = {"source": source, "files": [str(path)], "map": ""}
        self._log(Command("ingest", args, company.PLATFORM), f"{result.accepted} accepted")
        what = "calls" if source == "jsonl" else "spans"
        self._tell(
            f"{path.name}: {result.accepted:,} {what} in, {result.duplicate} here already,"
            f" {result.quarantined} in quarantine"
        )
        return result

    def _log(self, command: Command, outcome: str) -> None:
        with self._store.write() as tx:
            log_command(tx, command, self._clock.now_us(), {}, outcome)

    def _waive(self, period: str, instant: str) -> None:
        self._at(instant)
        items = check_close(
            self._store, Period.parse(period), clock=self._clock, actor=company.CONTROLLER
        )
        for item in items:
            if item.blocks and item.waivable:
                self._tell(f"{period} cannot close yet, {item.name}: {item.evidence}")
                self._sign(period, item)

    def _sign(self, period: str, item: Item) -> None:
        with self._store.write() as tx:
            link = waive(
                tx,
                period,
                item.name,
                estimate=company.WAIVER_ESTIMATE,
                reason=company.WAIVER_REASON,
                actor=company.CFO,
                now_us=self._clock.now_us(),
                figure=item.figure,
            )
            args = {"period": period, "item": item.name, "estimate": company.WAIVER_ESTIMATE,
                    "reason": company.WAIVER_REASON}  # fmt: skip
            log_command(tx, Command("waive", args, company.CFO), self._clock.now_us(), {}, link.id)
        self._tell(f"{period}: {item.name} waived by {company.CFO}")

    def _close(self, period: str, instant: str) -> None:
        self._at(instant)
        for pool, amount in company.POOL_ACTUALS[period].items():
            args = {"period": period, "pool": pool, "amount": amount}
            command = Command("pool", args, company.CONTROLLER)
            now_us = self._clock.now_us()
            enter_actual(self._store, Period.parse(period), pool, amount, command, now_us)
        closed = close(
            self._store,
            Period.parse(period),
            issuer=prepare_issue,
            clock=self._clock,
            actor=company.CONTROLLER,
        )
        self._tell(f"{period} closed, statements issued: {closed.act}")
