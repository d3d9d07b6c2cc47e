"""The one door to the database: open, read, write.

A write holds the database's single write lock from its first statement (``BEGIN IMMEDIATE``), so
what it compares stays true until it commits. Work that takes long happens outside of it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, Row, create_engine, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from tallybook.errors import CorruptedError, StoreError

if TYPE_CHECKING:
    from tallybook.store.lake import Lake

MIGRATIONS = Path(__file__).parent / "migrations"
HEAD = max(path.name[:4] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))
"""The version of the schema that this code knows: the number of its last migration."""
BOOK = "book.sqlite"
_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "cache_size=-262144",
    # Claims touch pages all over the tree: many batches must share one checkpoint of the log, or it
    # costs more than the batches (`Store.held_open`). 256 MiB of log is what that may take.
    "wal_autocheckpoint=65536",
    # Without it REPLACE deletes a row silently, past the triggers that keep the journal (INV-03).
    "recursive_triggers=ON",
)


class Tx:
    """One transaction. Reads see one snapshot; writes are wholly in or wholly out."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def rows(self, statement: str, /, **params: object) -> Sequence[Row[Any]]:
        """All rows, with access by column name."""
        return self._connection.execute(text(statement), params).all()

    def row(self, statement: str, /, **params: object) -> Row[Any] | None:
        """The first row, or None."""
        return self._connection.execute(text(statement), params).first()

    def scalar(self, statement: str, /, **params: object) -> Any:
        """The first column of the first row, or None."""
        return self._connection.execute(text(statement), params).scalar()

    def integrity(self) -> list[str]:
        """What the database itself finds wrong with its pages and indexes; empty when sound."""
        found = [str(row[0]) for row in self.rows("PRAGMA integrity_check(20)")]
        return [] if found == ["ok"] else found

    def plain_rows(self, statement: str, /, **params: object) -> list[tuple[Any, ...]] | None:
        """All rows as plain tuples, for reading millions; None if the statement fails on them."""
        cursor = self._connection.connection.cursor()
        try:
            cursor.execute(statement, params)
            return list(cursor.fetchall())
        except (sqlite3.Error, UnicodeDecodeError):
            return None
        finally:
            cursor.close()

    def run(self, statement: str, /, **params: object) -> int:
        """Execute; returns the number of rows touched."""
        return self._connection.execute(text(statement), params).rowcount

    def run_many(self, statement: str, params: Sequence[Mapping[str, object]]) -> None:
        """Execute once per parameter set."""
        if params:
            self._connection.execute(text(statement), list(params))

    def run_tuples(self, statement: str, params: Sequence[tuple[object, ...]]) -> int:
        """Execute with positional ``?`` binds, for the hot path of ingest.

        Returns:
            rows inserted or changed, as the driver counts them.
        """
        return self._connection.exec_driver_sql(statement, list(params)).rowcount if params else 0


class Store:
    """A set of books on disk: ``HOME/book.sqlite`` and ``HOME/lake``."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._engine = _engine(home / BOOK)

    @classmethod
    def create(cls, home: Path) -> Store:
        """Make an empty set of books.

        Raises:
            StoreError: the folder already holds books.
        """
        if (home / BOOK).exists():
            raise StoreError(
                "there are books here already", where=str(home), next_step="choose another folder"
            )
        home.mkdir(parents=True, exist_ok=True)
        store = cls(home)
        store.migrate()
        return store

    @classmethod
    def open(cls, home: Path) -> Store:
        """Open existing books.

        Raises:
            StoreError: no books there.
            CorruptedError: the file is not what was written, or its schema is another release's.
        """
        if not (home / BOOK).is_file():
            raise StoreError(
                "no books here", where=str(home), next_step="make them with: tallybook init HOME"
            )
        store = cls(home)
        with store.read() as tx:
            version = tx.scalar("SELECT version_num FROM alembic_version")
        if version != HEAD:
            raise CorruptedError(
                f"the book's schema is version {version!r}; this code knows {HEAD}",
                where=str(home / BOOK),
                next_step=f"bring older books to this release with: tallybook upgrade {home};"
                " newer ones are opened by the release that wrote them",
            )
        return store

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """A transaction that sees one snapshot and writes nothing."""
        with self._transaction("BEGIN") as tx:
            yield tx

    @contextmanager
    def write(self) -> Iterator[Tx]:
        """A transaction that holds the write lock; commits at the end, or leaves nothing."""
        with self._transaction("BEGIN IMMEDIATE") as tx:
            yield tx

    @contextmanager
    def held_open(self) -> Iterator[None]:
        """Keep the database open over many transactions.

        When the last connection closes, the log is copied into the file; in between it need not be.
        """
        with _translated(self.home / BOOK), self._engine.connect():
            yield

    @cached_property
    def lake(self) -> Lake:
        """Sealed events and the engine that reads them (loaded when first needed)."""
        from tallybook.store.lake import Lake  # noqa: PLC0415 - the engine is dear to import

        return Lake(self)

    def close(self) -> None:
        """Release the database."""
        self._engine.dispose()

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[Tx]:
        with _translated(self.home / BOOK), self._engine.connect() as plain:
            connection = plain.execution_options(begin=begin)
            with connection.begin():
                yield Tx(connection)

    def migrate(self, first: Callable[[], None] = lambda: None) -> None:
        """Bring the schema to the newest version, wholly or not at all (`upgrade.py`).

        Args:
            first: done while the write lock is held and nothing is changed yet.
        """
        from alembic import command  # noqa: PLC0415 - only a new or an old schema needs it
        from alembic.config import Config  # noqa: PLC0415

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.set_main_option("path_separator", "os")
        with _translated(self.home / BOOK), self._engine.connect() as plain:
            connection = plain.execution_options(begin="BEGIN IMMEDIATE")
            with connection.begin():
                first()
                config.attributes["connection"] = connection
                command.upgrade(config, "head")


def _engine(path: Path) -> Engine:
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool, connect_args={"timeout": 60})

    @event.listens_for(engine, "connect")
    def _configure(connection: sqlite3.Connection, _: object) -> None:
        # The driver must not open transactions behind our back: we say BEGIN ourselves.
        connection.isolation_level = None
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))

    return engine


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Turn the driver's errors into ours, which say what to do."""
    try:
        yield
    except UnicodeDecodeError as error:
        # The driver quotes damaged bytes in its message and stumbles over them.
        raise _store_error(f"malformed text: {error}", str(path)) from error
    except (DBAPIError, sqlite3.DatabaseError) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        raise _store_error(str(cause), str(path)) from error


def _store_error(message: str, where: str) -> StoreError:
    lowered = message.lower()
    if "malformed" in lowered or "not a database" in lowered:
        return CorruptedError(
            f"the book file is damaged: {message}",
            where=where,
            next_step="stop writing, restore the file from a backup, then run: tallybook verify",
        )
    if "disk is full" in lowered or "disk i/o error" in lowered:
        return StoreError(
            f"could not write: {message}; nothing of this command was kept",
            where=where,
            next_step="make room on the disk and run the same command again",
        )
    if "locked" in lowered:
        return StoreError(
            "another command is writing", where=where, next_step="run it again in a moment"
        )
    return StoreError(message, where=where)


def canonical_json(value: object) -> str:
    """The one text form of a value: sorted keys, no spaces, UTF-8 kept as it is."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
