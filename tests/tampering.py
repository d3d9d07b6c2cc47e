"""Tampering with a copy of the books, as somebody with the file or an owner's shell would."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from copy import deepcopy
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import psycopg
import pytest

from stores import Stores
from tallybook.ledger import Verification, head, verify
from tallybook.ledger.abreast import walked_abreast
from tallybook.ledger.chain import LINK_FIELDS, POSTING_FIELDS, link_hash
from tallybook.store import Store
from tallybook.store.address import BOOK, read_address

LINKS_MIN = 4
REFUSED = (
    sqlite3.IntegrityError,
    psycopg.IntegrityError,
    psycopg.DataError,
    psycopg.errors.DatatypeMismatch,
)
"""What a database does not take, whoever asks."""


class Shell:
    """A connection past every guard. Statements are in the words of both databases.

    A row is found by ``rowid``, which is PostgreSQL's ``ctid``; binds are ``?`` or ``:name``.
    """

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self._is_file = isinstance(raw, sqlite3.Connection)

    def execute(self, statement: str, params: Any = None) -> Any:
        """The cursor."""
        if self._is_file:
            return self._raw.execute(statement, params or ())
        statement = re.sub(r"\browid\b", "ctid", statement)
        if not params:
            return self._raw.execute(statement)
        marked = statement.replace("%", "%%").replace("?", "%s")
        if isinstance(params, dict):
            marked = re.sub(r"(?<!:):(\w+)", r"%(\1)s", marked)
        return self._raw.execute(marked, params)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """All of them."""
        return list(self.execute(statement).fetchall())

    def disarm(self) -> list[str]:
        """Take all guards away; what puts them back."""
        if self._is_file:
            guards = self.rows("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            for name, _ in guards:
                self._raw.execute(f"DROP TRIGGER {name}")
            return [sql for _, sql in guards]
        tables = self.rows("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        for (table,) in tables:
            self._raw.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        return [f"ALTER TABLE {table} ENABLE TRIGGER USER" for (table,) in tables]


@contextmanager
def shell(home: Path, *, put_back: bool = False) -> Iterator[Shell]:
    """Change books past their guards, wholly or not at all.

    Args:
        home: of the books.
        put_back: whether the guards stand again afterwards.
    """
    database = read_address(home).database
    opened = psycopg.connect(database) if database else sqlite3.connect(home / BOOK)
    with closing(opened) as raw:
        made = Shell(raw)
        guards = made.disarm()
        yield made
        for guard in guards if put_back else ():
            raw.execute(guard)
        raw.commit()


def forge(home: Path, *statements: str, put_back: bool = False) -> None:
    """Do what the guards forbid; each statement finds something to change."""
    with shell(home, put_back=put_back) as raw:
        for statement in statements:
            assert raw.execute(statement).rowcount, statement


class Attacked:
    """A copy of good books without guards, changed by raw SQL, then verified."""

    def __init__(self, home: Path, copy: Path, stores: Stores) -> None:
        self.home = stores.copy(home, copy)

    def run(self, *statements: str, **params: object) -> bool:
        """Change; False if the database does not take it or nothing changes."""
        try:
            with shell(self.home) as raw:
                before = content(raw)
                for statement in statements:
                    raw.execute(statement, params)
                return content(raw) != before
        except REFUSED:
            return False

    def rehash(self, seq: int) -> None:
        """Give one link the hash that fits its changed content."""
        with shell(self.home) as raw:
            (link,) = raw.rows(f"SELECT {','.join(LINK_FIELDS)} FROM chain WHERE seq = {seq}")
            fields = dict(zip(LINK_FIELDS, link, strict=True))
            columns = ",".join(POSTING_FIELDS)
            lines = raw.rows(f"SELECT {columns} FROM posting WHERE seq = {seq} ORDER BY 1")
            raw.execute("UPDATE chain SET hash = ? WHERE seq = ?", (link_hash(fields, lines), seq))

    def verify(self, expected_head: str = "") -> Verification:
        with closing(Store(self.home)) as store:
            return self._verify(store, expected_head)

    def _verify(self, store: Store, expected_head: str) -> Verification:
        with store.read() as tx, pytest.MonkeyPatch.context() as patch:
            found = verify(tx, expected_head)
            # In windows of any size, and shared out, the same is found.
            patch.setattr("tallybook.ledger.walk.LINKS_AT_ONCE", 2)
            patch.setattr("tallybook.ledger.walk.POSTINGS_AT_ONCE", 3)
            assert verify(tx, expected_head) == found
            patch.setattr("tallybook.ledger.abreast.ProcessPoolExecutor", Inline)
            patch.setattr("tallybook.ledger.abreast.LINKS_MIN", LINKS_MIN)
            patch.setattr("tallybook.ledger.abreast.LINKS_EACH", 2)
            assert verify(tx, expected_head, home=self.home, processes=2) == found
            shared = walked_abreast(tx, self.home, expected_head, 2)
            is_good = bool(shared) and (shared.head_found or not expected_head)
            assert is_good == (found.ok and head(tx).seq >= LINKS_MIN)
        return found


def head_of(home: Path) -> str:
    """The hash of the last link of books."""
    with closing(Store(home)) as store, store.read() as tx:
        return head(tx).hash


def content(raw: Shell, tables: Sequence[str] = ("chain", "posting")) -> list[Any]:
    """The rows of tables."""
    return [raw.rows(f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables]


class Inline:
    """Does at once what another process would do."""

    def __init__(self, *_: object) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def submit(self, act: Callable[..., object], *given: object) -> SimpleNamespace:
        done = lambda: act(*deepcopy(given))  # noqa: E731 - done when asked for
        return SimpleNamespace(result=done, cancel=lambda: False)


def kinds(found: Verification) -> set[str]:
    assert found.ok is (not found.faults)
    return {fault.kind for fault in found.faults}
