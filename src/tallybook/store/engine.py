"""The one door to the database: open, read, write.

A write holds the one write lock of the books from its first statement, so what it compares stays
true until it commits. Work that takes long happens outside of it. The book is a file (`sqlite.py`)
or a PostgreSQL database (`postgresql.py`); rooms cannot tell, and need not.
"""

from __future__ import annotations

import json
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import Connection, Engine, ExceptionContext, Row, event, inspect, text
from sqlalchemy.exc import DBAPIError

from tallybook.errors import CorruptedError, RangeError, StoreError
from tallybook.store import faults
from tallybook.store.address import (
    BOOK,
    Address,
    checked,
    holds_books,
    read_address,
    write_address,
)
from tallybook.store.sqlite import Sqlite

if TYPE_CHECKING:
    from tallybook.store.lake import Lake

__all__ = ["BOOK", "HEAD", "Store", "Tx", "canonical_json", "storable"]

MIGRATIONS = Path(__file__).parent / "migrations"
HEAD = max(path.name[:4] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))
"""The version of the schema that this code knows: the number of its last migration."""


_ROWS_AT_ONCE = 20_000


class Database(Protocol):
    """What one kind of database does in its own way."""

    @property
    def name(self) -> str:
        """``sqlite`` or ``postgresql``: a statement of its own lies in ``name.<this>.sql``."""

    @property
    def read(self) -> str:
        """What begins a transaction that sees one snapshot."""

    @property
    def write(self) -> str:
        """What begins a transaction that holds the write lock."""

    @property
    def faults(self) -> tuple[type[Exception], ...]:
        """The driver's errors."""

    def engine(self) -> Engine:
        """What connects."""

    def begin(self, connection: Connection, statement: str) -> None:
        """Begin a transaction."""

    def answers(self, connection: Connection) -> bool:
        """Whether a connection that was kept reaches the database still."""

    def error(self, fault: BaseException) -> StoreError:
        """The driver's error as ours, which says what to do."""

    def integrity(self, connection: Connection) -> list[str]:
        """See `Tx.integrity`."""

    def guards(self, connection: Connection) -> set[str]:
        """See `Tx.guards`."""

    def tables(self, connection: Connection) -> list[str]:
        """See `Tx.tables`."""

    def not_whole(self, connection: Connection, table: str, column: str) -> int:
        """See `Tx.not_whole`."""

    def last_number(self, connection: Connection, table: str, column: str) -> int:
        """See `Tx.last_number`."""

    def note_number(self, connection: Connection, table: str, column: str, number: int) -> None:
        """See `Tx.note_number`."""

    def read_once(self, connection: Connection) -> None:
        """See `Tx.read_once`."""

    def plain_rows(
        self, connection: Connection, statement: str, params: dict[str, object]
    ) -> list[tuple[Any, ...]] | None:
        """See `Tx.plain_rows`."""

    def run_tuples(
        self, connection: Connection, statement: str, params: Sequence[tuple[object, ...]]
    ) -> int:
        """See `Tx.run_tuples`."""

    def rows_among(
        self, connection: Connection, table: str, column: str, values: Iterable[bytes]
    ) -> Sequence[Row[Any]]:
        """See `Tx.rows_among`."""


class Tx:
    """One transaction. Reads see one snapshot; writes are wholly in or wholly out."""

    def __init__(self, connection: Connection, database: Database) -> None:
        self._connection = connection
        self._database = database

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``, for `sql_text`."""
        return self._database.name

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
        return self._database.integrity(self._connection)

    def guards(self) -> set[str]:
        """The names of the triggers that keep the journal, as they stand (INV-03)."""
        return self._database.guards(self._connection)

    def tables(self) -> list[str]:
        """The names of all tables, in order."""
        return self._database.tables(self._connection)

    def not_whole(self, table: str, column: str) -> int:
        """How many values of a column are no whole numbers (INV-02)."""
        return self._database.not_whole(self._connection, table, column)

    def last_number(self, table: str, column: str) -> int:
        """The highest number that a table ever gave a row, be that row deleted; 0 before any."""
        return self._database.last_number(self._connection, table, column)

    def note_number(self, table: str, column: str, number: int) -> None:
        """Keep that a row was written with a number after `last_number`."""
        self._database.note_number(self._connection, table, column, number)

    def read_once(self) -> None:
        """Tell that what this transaction reads from here on is read once: little of it is kept."""
        self._database.read_once(self._connection)

    def plain_rows(self, statement: str, /, **params: object) -> list[tuple[Any, ...]] | None:
        """All rows as plain tuples, for reading millions; None if the statement fails on them."""
        return self._database.plain_rows(self._connection, statement, params)

    def rows_among(self, table: str, column: str, values: Iterable[bytes]) -> Sequence[Row[Any]]:
        """The rows of a table whose column is one of some values, each of them once."""
        wanted = sorted(set(values))
        if not wanted:
            return ()
        return self._database.rows_among(self._connection, table, column, wanted)

    def stream(self, statement: str, /) -> Iterator[Sequence[tuple[Any, ...]]]:
        """The rows of a query some thousands at a time, none of them held here or at the server."""
        options = {"stream_results": True, "yield_per": _ROWS_AT_ONCE}
        found = self._connection.execute(text(statement), execution_options=options)
        for part in found.partitions():
            yield [tuple(row) for row in part]

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
        if not params:
            return 0
        return self._database.run_tuples(self._connection, statement, params)


class Store:
    """A set of books: a database and a place of sealed files, named by a folder (`address.py`)."""

    def __init__(self, home: Path, address: Address | None = None) -> None:
        self.home = home
        self.address = address or read_address(home)
        self._database = database = _database(self.address)
        self._engine = engine = database.engine()
        self._kept = threading.local()
        # A connection that is kept for the next transaction ends with what it was kept for.
        weakref.finalize(self, engine.dispose)

        @event.listens_for(engine, "handle_error")
        def _failed(context: ExceptionContext) -> None:
            # A driver also raises what is no error of a database; only here is it known to be its.
            fault = context.original_exception
            if isinstance(fault, OverflowError):  # SQLite's, before it asks the database
                raise RangeError(
                    "a number is larger than a column holds", next_step="correct the figure"
                ) from fault
            if isinstance(fault, UnicodeDecodeError):
                raise database.error(fault) from fault

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            database.begin(
                connection, connection.get_execution_options().get("begin", database.read)
            )

    @classmethod
    def create(
        cls,
        home: Path,
        database: str = "",
        lake: str = "",
        beside: Callable[[], None] = lambda: None,
        fill: Callable[[Store, Tx], None] = lambda _store, _tx: None,
    ) -> Store:
        """Make a set of books, wholly or not at all: killed before its end, it may be given again.

        Args:
            home: the folder.
            database: URL of an empty PostgreSQL database; '' makes a file in the folder.
            lake: URL of an empty place for sealed files; '' is in the folder.
            beside: writes what lies beside the books, before they are.
            fill: writes into them, in the transaction that makes them; else they are empty.

        Raises:
            StoreError: the folder or the database already holds books, or the address is wrong.
        """
        address = new_address(home, database, lake)
        home.mkdir(parents=True, exist_ok=True)
        store = cls(home, address)

        def first() -> None:
            store._expect_none()
            beside()
            write_address(address)
            faults.reached("init.addressed")

        try:
            store.migrate(first, last=lambda tx: fill(store, tx))
        except BaseException:
            store.close()
            raise
        return store

    @classmethod
    def open(cls, home: Path) -> Store:
        """Open existing books.

        Raises:
            StoreError: no books there, or the database does not answer.
            CorruptedError: the file is not what was written, or its schema is another release's.
        """
        if not holds_books(home):
            raise StoreError(
                "no books here", where=str(home), next_step="make them with: tallybook init HOME"
            )
        store = cls(home)
        again = "make them with: tallybook init HOME"
        named = f"see that store.yaml names the right database and schema, or {again}"
        store.expect_books(named if store.address.database else again)
        store.expect_head()
        return store

    def has_books(self) -> bool:
        """Whether the database holds books, of any release."""
        with self._translated(), self._engine.connect() as plain:
            return _held_version(plain) != ""

    def _expect_none(self) -> None:
        """See that nobody made books here, as another command may have a moment ago."""
        if self.has_books():
            raise StoreError(
                "there are books in this database already",
                where=self.address.told,
                next_step="to use them from this folder too: tallybook init HOME --store URL"
                " --lake URL --join; else name an empty database",
            )

    def expect_books(self, next_step: str) -> None:
        """See that the database holds books.

        Raises:
            StoreError: it holds none.
        """
        if not self.has_books():
            raise StoreError(
                "there are no books in this database", where=self.address.told, next_step=next_step
            )

    def version(self) -> str:
        """The version of the schema."""
        with self.read() as tx:
            return str(tx.scalar("SELECT version_num FROM alembic_version") or "")

    def expect_head(self) -> None:
        """See that the schema is the one that this code knows.

        Raises:
            CorruptedError: it is another release's.
        """
        version = self.version()
        if version != HEAD:
            raise CorruptedError(
                f"the book's schema is version {version!r}; this code knows {HEAD}",
                where=self.address.told,
                next_step=f"bring older books to this release with: tallybook upgrade {self.home};"
                " newer ones are opened by the release that wrote them",
            )

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """A transaction that sees one snapshot and writes nothing."""
        with self._transaction(self._database.read) as tx:
            yield tx

    @contextmanager
    def write(self) -> Iterator[Tx]:
        """A transaction that holds the write lock; commits at the end, or leaves nothing."""
        with self._transaction(self._database.write) as tx:
            yield tx

    @contextmanager
    def held_open(self) -> Iterator[None]:
        """Keep the database open over many transactions of this thread, on one connection.

        When the last connection to a file closes, its log is copied into it; in between it need not
        be. A transaction within another one has a connection of its own. One that broke, as where a
        server was started again, is made anew before the next transaction.
        """
        with self._translated(), self._engine.connect() as plain:
            before = self._idle()
            self._kept.idle = plain
            try:
                yield
            finally:
                self._kept.idle = before

    def _idle(self) -> Connection | None:
        """The connection that this thread keeps, unless a transaction is on it."""
        kept: Connection | None = getattr(self._kept, "idle", None)
        return kept

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        kept = self._idle()
        if kept is None:
            with self._engine.connect() as plain:
                yield plain
            return
        self._kept.idle = None
        try:
            if not self._database.answers(kept):
                kept.invalidate()
            yield kept
        finally:
            self._kept.idle = kept

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
        with self._translated(), self._connected() as plain:
            connection = plain.execution_options(begin=begin)
            with connection.begin():
                yield Tx(connection, self._database)

    def migrate(
        self,
        first: Callable[[], None] = lambda: None,
        to: str = "head",
        last: Callable[[Tx], None] = lambda _tx: None,
    ) -> None:
        """Bring the schema to a version, wholly or not at all (`upgrade.py`).

        Args:
            first: done while the write lock is held and nothing is changed yet.
            to: the number of a migration, or ``base``: no tables; ``head`` is the newest.
            last: writes in the same transaction, when the schema is as wanted.
        """
        from alembic import command  # noqa: PLC0415 - only a new or an old schema needs it
        from alembic.config import Config  # noqa: PLC0415

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.set_main_option("path_separator", "os")
        with self._translated(), self._engine.connect() as plain:
            connection = plain.execution_options(begin=self._database.write)
            with connection.begin():
                first()
                config.attributes["connection"] = connection
                downwards = to == "base" or (to != "head" and to < _held_version(connection))
                (command.downgrade if downwards else command.upgrade)(config, to)
                last(Tx(connection, self._database))
                faults.reached("migrate.done")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn the driver's errors into ours, which say what to do."""
        try:
            yield
        except DBAPIError as error:
            raise self._database.error(error.orig or error) from error
        except self._database.faults as error:
            raise self._database.error(error) from error


def _database(address: Address) -> Database:
    if not address.database:
        return Sqlite(address.home / BOOK)
    from tallybook.store.postgresql import PostgreSql  # noqa: PLC0415 - its driver is an extra

    return PostgreSql(address)


def new_address(home: Path, database: str, lake: str) -> Address:
    """The address of a folder that is to be the home of books.

    Raises:
        StoreError: it is already, or the address is wrong.
    """
    address = checked(Address(home, database, lake))
    if holds_books(home) and not _is_unfinished(home):
        raise StoreError(
            "there are books here already", where=str(home), next_step="choose another folder"
        )
    return address


def _is_unfinished(home: Path) -> bool:
    """Whether the folder is all that a killed command left: what it names holds nothing yet."""
    store = Store(home)
    try:
        if store.address.database:
            return not store.has_books()
        with store.read() as tx:
            return not tx.tables()
    finally:
        store.close()


def _held_version(connection: Connection) -> str:
    """The version of the schema; '' where there are no books."""
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or "")


def canonical_json(value: object) -> str:
    """The one text form of a value: sorted keys, no spaces, UTF-8 kept as it is."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def storable(told: str) -> str:
    """A text of somebody else as either store holds it.

    PostgreSQL has no NUL in text, and neither has what the name of a file may hold that is no
    UTF-8. For what is kept to be read and found again: what is signed or bills is refused instead.
    """
    return told.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
