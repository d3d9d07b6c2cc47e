"""Carrying out one operation through the services that the commands call, at its own instant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from shutil import copyfile, copytree, ignore_patterns
from typing import Any, Final

from tallybook.books.documents import Document, read_folder
from tallybook.clock import FixedClock, Period
from tallybook.close.adjust import approve, line_of, post, prepare
from tallybook.close.close import close
from tallybook.close.reopen import reopen
from tallybook.close.soft import soft_close
from tallybook.close.waive import waive
from tallybook.errors import TallybookError
from tallybook.meter.ingest import ingest
from tallybook.meter.sources.jsonl import Jsonl
from tallybook.meter.sources.registry import open_product
from tallybook.money import NANO_SCALE, format_units
from tallybook.post.apply import apply_documents
from tallybook.post.pool import enter_actual
from tallybook.post.run import run, seal_inbox
from tallybook.report.current import statements_of
from tallybook.report.explain import explain
from tallybook.report.issue import prepare_issue
from tallybook.sim.spans import WRITERS
from tallybook.sim.world.company import texts_of
from tallybook.sim.world.model import Operation
from tallybook.store import Store
from tallybook.store.address import BOOK, STORE_FILE, read_address
from tallybook.store.commands import Command, log_command
from tallybook.store.rehome import rehome

ACTOR: Final = "world"
ITEMS: Final = ("unallocated", "unknown", "estimated", "unpriced")


@dataclass(frozen=True, slots=True)
class Done:
    """What became of an operation. ``refusal`` is the error's class and text, '' when it was done.

    ``value`` is what the service answered.
    """

    refusal: str = ""
    value: Any = None

    @property
    def ok(self) -> bool:
        """Whether it was carried out."""
        return not self.refusal


def open_books(home: Path, template: Path | None = None) -> Store:
    """New books in a folder; copied from empty ones if a template is given, which is faster."""
    if template is None:
        return Store.create(home)
    home.mkdir(parents=True)
    copyfile(template, home / BOOK)
    return Store.open(home)


def copy_books(home: Path, folder: Path) -> None:
    """An exact copy of books and of all that lies in their home; that of a database is a file."""
    copytree(home, folder, ignore=ignore_patterns(STORE_FILE))
    if read_address(home).database:
        rehome(home, folder)


def make_template(folder: Path) -> Path:
    """Make the file of empty books that `open_books` copies."""
    Store.create(folder).close()
    return folder / BOOK


class Hands:
    """Someone at the keyboard of one set of books.

    Args:
        store: open books.
        at_us: where the clock stands; it follows the operations.
        desk: where files to be read are written; in the home of the books if not said.
    """

    def __init__(self, store: Store, at_us: int = 0, desk: Path | None = None) -> None:
        self.store = store
        self._desk = desk or store.home
        self._clock = FixedClock(at_us)

    @property
    def now_us(self) -> int:
        """Where the clock stands."""
        return self._clock.now_us()

    def do(self, operation: Operation) -> Done:
        """Carry out one operation.

        Returns:
            what became of it; a refusal by the books is an outcome like any other.
        """
        self._clock.advance(max(0, operation["at_us"] - self._clock.now_us()))
        act: Callable[[Operation], Any] = getattr(self, f"_{operation['do']}")
        try:
            return Done(value=act(operation))
        except TallybookError as error:
            return Done(refusal=f"{type(error).__name__}: {error}")

    def _apply(self, operation: Operation) -> dict[str, int]:
        command = Command("apply", {"books": "files"}, ACTOR)
        return apply_documents(
            self.store, self._documents(operation), command, self._clock.now_us()
        )

    def _documents(self, operation: Operation) -> dict[str, Document]:
        folder = self._desk / "files"
        folder.mkdir(exist_ok=True)
        for kind, text in texts_of(operation["files"]).items():
            (folder / f"{kind}.yaml").write_text(text, encoding="utf-8")
        return read_folder(folder)

    def _ingest(self, operation: Operation) -> dict[str, int]:
        path = self._desk / "delivery.jsonl"
        source = operation.get("source", "jsonl")
        text = WRITERS[source](operation["events"], operation["rejects"])
        path.write_text(text, encoding="utf-8")
        subjects = count()
        result = ingest(
            self.store,
            Jsonl([path]) if source == "jsonl" else open_product(source, [path]),
            clock=self._clock,
            new_id=lambda: f"subject-{operation['n']}-{next(subjects)}",
            on_progress=None,
            reject_folder=self.store.home / "rejects",
            command=Command("ingest", {"n": operation["n"]}, ACTOR),
        )
        names = ("accepted", "duplicate", "quarantined", "rejected")
        return {name: getattr(result, name) for name in names}

    def _seal(self, _: Operation) -> int:
        return seal_inbox(self.store)

    def _pool(self, operation: Operation) -> int:
        period, pool, amount = (operation[name] for name in ("period", "pool", "amount"))
        command = Command("pool", {"period": period, "pool": pool, "amount": amount}, ACTOR)
        now_us = self._clock.now_us()
        return enter_actual(self.store, Period.parse(period), pool, amount, command, now_us)

    def _run(self, operation: Operation) -> tuple[str, ...]:
        period = Period.parse(operation["period"])
        return run(self.store, period, clock=self._clock, actor=ACTOR).entries

    def _prove(self, operation: Operation) -> None:
        """What a proof does to the books: it runs every open month."""
        for period in operation.get("periods", ()):
            self._run({"period": period})

    def _waive(self, operation: Operation) -> str:
        now_us, args = self._clock.now_us(), {"period": operation["period"]}
        with self.store.write() as tx:
            link = waive(
                tx,
                operation["period"],
                operation["item"],
                estimate="1.00",
                reason="the world goes on",
                actor=ACTOR,
                now_us=now_us,
            )
            log_command(tx, Command("waive", args, ACTOR), now_us, {}, link.id)
        return link.id

    def _close(self, operation: Operation) -> str:
        period = Period.parse(operation["period"])
        done = close(self.store, period, issuer=prepare_issue, clock=self._clock, actor=ACTOR)
        return done.body_sha256

    def _soft(self, operation: Operation) -> str:
        period = Period.parse(operation["period"])
        return soft_close(self.store, period, clock=self._clock, actor=ACTOR).act

    def _adjust(self, operation: Operation) -> str:
        """An adjusting entry of two people, prepared, approved and posted in one go."""
        period, now_us = Period.parse(operation["period"]), self._clock.now_us()
        sides = [
            line_of(f"{account}={format_units(nano, NANO_SCALE)}")
            for account, nano in operation["sides"]
        ]
        with self.store.write() as tx:
            made = prepare(
                tx, period, sides, text="goodwill of the world", reason="it was agreed",
                support="W-1", actor=ACTOR, now_us=now_us,
            )  # fmt: skip
            approve(tx, made.id, actor="another", now_us=now_us)
            return post(tx, made.id, actor="another", now_us=now_us).id

    def _reopen(self, operation: Operation) -> str:
        period, now_us = Period.parse(operation["period"]), self._clock.now_us()
        with self.store.write() as tx:
            reason, other = "the world looks again", "another"
            link = reopen(tx, period, reason=reason, approved_by=other, actor=ACTOR, now_us=now_us)
        return link.id

    def _statement(self, operation: Operation) -> int:
        return len(statements_of(self.store, Period.parse(operation["period"])).statements)

    def _explain(self, operation: Operation) -> str:
        """Explain the line that a number picks among a period's statement lines."""
        issue = statements_of(self.store, Period.parse(operation["period"]))
        lines = [line for paper in issue.statements for line in (*paper.lines, *paper.notes)]
        if not lines:
            return ""
        line = lines[operation["pick"] % len(lines)]
        return explain(self.store, line.id, 3).line
