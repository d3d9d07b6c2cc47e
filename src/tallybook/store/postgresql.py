"""PostgreSQL as the book: for more than one host.

The same tables, the same guards, the same order of things as in a file:

* A read is one snapshot (REPEATABLE READ, READ ONLY).
* A write first takes the one write lock of these books, an advisory lock named after their schema,
  then sees all that was committed before (READ COMMITTED): a snapshot that were taken before the
  lock would be old. So writers of all hosts are in one line, and none is ever asked to try again.
* A whole number is a whole number: the sum of bigints, which PostgreSQL calls numeric, too.

The driver is psycopg 3 (the extra ``postgres``).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Connection,
    Engine,
    Integer,
    LargeBinary,
    Row,
    Text,
    create_engine,
    text,
)
from sqlalchemy.ext.compiler import compiles

from tallybook.errors import CorruptedError, RangeError, StoreError
from tallybook.store.address import Address
from tallybook.store.schema import METADATA

try:
    import psycopg
    from psycopg.types.numeric import NumericLoader
except ImportError as error:
    raise StoreError(
        "books on PostgreSQL need its driver, which is not installed",
        next_step="pip install 'tallybook[postgres]'",
    ) from error

# What it warns of, a line that was cut, is raised as well.
logging.getLogger("psycopg").setLevel(logging.ERROR)

_LOCK_WAIT_S: Final = 60
_LOCK_CLASS: Final = 0x7A11B  # tells our advisory locks from those of others in the database
_ROWS_AT_ONCE: Final = 20_000
_SESSION: Final = (
    "SET synchronous_commit = on; SET jit = off;"
    # A host that is gone must not keep the write lock.
    " SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3"
)
_ONLY_NEW: Final = re.compile(
    r"(?:\s*--[^\n]*\n)*\s*INSERT INTO (\w+) \(([^)]*)\)\s*VALUES \([?,\s]*\)"
    r"\s*(ON CONFLICT \([^)]*\) DO NOTHING)?\s*"
)
_ARRAYS: Final = ((LargeBinary, "bytea"), (BigInteger, "bigint"), (Integer, "integer"))
_AGAIN: Final = (
    "see that the server runs, then run the same command again: what it wrote is wholly in or"
    " wholly out, and it comes in once"
)
_TOLD: Final[tuple[tuple[tuple[str, ...], type[StoreError], str, str], ...]] = (
    (
        ("08", "57P01", "57P02", "57P03"),
        StoreError,
        "the database went away: {message}",
        _AGAIN,
    ),
    (
        ("28", "3D000", "42501"),
        StoreError,
        "the database refuses us: {message}",
        "see that the database is there and that its user may write in it (docs/store.md)",
    ),
    (
        ("53",),
        StoreError,
        "could not write: {message}; nothing of this command was kept",
        "make room on the server and run the same command again",
    ),
    (("22003",), RangeError, "a number is larger than a column holds", "correct the figure"),
    (("55P03",), StoreError, "another command is writing", "run it again in a moment"),
    (
        ("XX00",),
        CorruptedError,
        "the database is damaged: {message}",
        "stop writing, restore it from a backup, then run: tallybook verify",
    ),
)
"""By the beginning of SQLSTATE: what is said of it, and what to do."""


@compiles(Text, "postgresql")
def _bytewise(_kind: Text, _compiler: Any, **_: Any) -> str:
    """Text in the order of its bytes, as in a file: not that of the server's language."""
    return 'TEXT COLLATE "C"'


class _WholeLoader(NumericLoader):
    """A numeric that is whole is an int: a sum of them is one, of any size."""

    def load(self, data: Any) -> Any:
        told = bytes(data)
        return Decimal(told.decode()) if b"." in told or b"N" in told else int(told)


class PostgreSql:
    """One schema of one database.

    Args:
        address: of the books.
    """

    name: Final = "postgresql"
    read: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
    write: Final = (
        "BEGIN ISOLATION LEVEL READ COMMITTED;"
        f" SET LOCAL lock_timeout = '{_LOCK_WAIT_S}s';"
        f" SELECT pg_advisory_xact_lock({_LOCK_CLASS}, hashtext(current_schema()))"
    )
    faults: Final[tuple[type[Exception], ...]] = (psycopg.Error,)

    def __init__(self, address: Address) -> None:
        self._address = address

    def engine(self) -> Engine:
        """What connects; a few connections stay open, each proven before it is used again."""
        url = self._address.database

        def connect() -> psycopg.Connection[Any]:
            connection = psycopg.connect(
                url, autocommit=True, connect_timeout=10, client_encoding="UTF8"
            )
            connection.adapters.register_loader("numeric", _WholeLoader)
            connection.execute(_SESSION)
            found = connection.execute("SELECT current_schema()").fetchone()
            if found == (None,):
                connection.close()
                raise StoreError(
                    "the database has no schema of the name that search_path says",
                    where=self._address.told,
                    next_step="make it there with: CREATE SCHEMA name",
                )
            return connection

        return create_engine("postgresql+psycopg://", creator=connect, pool_pre_ping=True)

    def begin(self, connection: Connection, statement: str) -> None:
        """Begin a transaction: several statements in one message, which binds would not allow."""
        driver = _driver(connection)
        try:
            driver.execute(statement)
        except psycopg.Error:
            if driver.closed:
                connection.invalidate()  # or it were given back, and a rollback tried on it
            else:
                driver.rollback()  # one that is kept begins the next transaction too
            raise

    def answers(self, connection: Connection) -> bool:
        """Whether a connection that was kept reaches the server still."""
        try:
            _driver(connection).execute("")
        except psycopg.OperationalError:
            return False
        return True

    def error(self, fault: BaseException) -> StoreError:
        """The driver's error as ours, which says what to do."""
        state = getattr(fault, "sqlstate", None) or ""
        diagnosis = getattr(fault, "diag", None)
        message = getattr(diagnosis, "message_primary", None) or " ".join(str(fault).split())
        if not state and isinstance(fault, psycopg.OperationalError):
            state = "08000"  # the connection broke, or never was: the server said nothing
        for states, kind, words, next_step in _TOLD:
            if state.startswith(states):
                what = words.format(message=message)
                return kind(what, where=self._address.told, next_step=next_step)
        return StoreError(message, where=self._address.told)

    def integrity(self, connection: Connection) -> list[str]:
        """What the database itself finds wrong with its tables.

        Pages and indexes are the server's to check (``data_checksums``, ``pg_amcheck``); a page
        that it cannot read is told when a row of it is.
        """
        rows = connection.exec_driver_sql(
            "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
            " JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = current_schema() AND NOT (i.indisvalid AND i.indisready)"
        )
        return [f"the index {row[0]} is not valid" for row in rows]

    def guards(self, connection: Connection) -> set[str]:
        """The names of the triggers that stand and fire."""
        rows = connection.exec_driver_sql(
            "SELECT t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
            " JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = current_schema() AND NOT t.tgisinternal AND"
            " t.tgenabled IN ('O', 'A')"
        )
        return {str(row[0]) for row in rows}

    def tables(self, connection: Connection) -> list[str]:
        """The names of the tables."""
        rows = connection.exec_driver_sql(
            "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename"
        )
        return [str(row[0]) for row in rows]

    def not_whole(self, connection: Connection, table: str, column: str) -> int:
        """How many values of a column are no whole numbers: none, if its type is that of one."""
        found = connection.exec_driver_sql(
            "SELECT data_type FROM information_schema.columns WHERE table_schema ="
            " current_schema() AND table_name = %s AND column_name = %s",
            (table, column),
        ).scalar()
        if found in {"bigint", "integer"}:
            return 0
        return int(connection.exec_driver_sql(f"SELECT COUNT(*) FROM {table}").scalar() or 0)

    def last_number(self, connection: Connection, table: str, column: str) -> int:
        """The highest number that a table ever gave a row, be that row deleted."""
        found = connection.exec_driver_sql(
            f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {table}_{column}_seq"
        )
        return int(found.scalar() or 0)

    def note_number(self, connection: Connection, table: str, column: str, number: int) -> None:
        """Keep that a table gave a number. It stays taken, also if the transaction does not."""
        connection.exec_driver_sql(
            "SELECT setval(%s::regclass, %s)", (f"{table}_{column}_seq", number)
        )

    def read_once(self, connection: Connection) -> None:
        """The server keeps pages for all, and knows by itself which are read once."""

    def plain_rows(
        self, connection: Connection, statement: str, params: dict[str, object]
    ) -> list[tuple[Any, ...]] | None:
        """All rows as plain tuples. What is stored has its type, so no statement fails on it."""
        found = connection.execute(text(statement), params)
        return list(found.cursor.fetchall())

    def run_tuples(
        self, connection: Connection, statement: str, params: Sequence[tuple[object, ...]]
    ) -> int:
        """Execute once per tuple; returns the number of rows touched.

        Rows that are only added go as one array per column: a statement for thousands of them.
        """
        added = _ONLY_NEW.fullmatch(statement)
        if added and added[1] in METADATA.tables:
            return self._add(connection, added[1], added[2], added[3] or "", params)
        plain = statement.replace("%", "%%").replace("?", "%s")
        return connection.exec_driver_sql(plain, list(params)).rowcount

    def _add(
        self,
        connection: Connection,
        table: str,
        listed: str,
        conflict: str,
        rows: Sequence[tuple[object, ...]],
    ) -> int:
        names = [name.strip().strip('"') for name in listed.split(",")]
        kinds = [_array_of(METADATA.tables[table].c[name].type) for name in names]
        arrays = ", ".join(f"%b::{kind}[]" for kind in kinds)
        statement = f"INSERT INTO {table} ({listed}) SELECT * FROM unnest({arrays}) {conflict}"
        added = 0
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            columns = zip(*rows[start : start + _ROWS_AT_ONCE], strict=True)
            added += connection.exec_driver_sql(statement, tuple(map(list, columns))).rowcount
        return added

    def rows_among(
        self, connection: Connection, table: str, column: str, values: Iterable[bytes]
    ) -> Sequence[Row[Any]]:
        """The rows of a table whose column is one of some values, found by one join."""
        return connection.execute(
            text(
                f"SELECT t.* FROM unnest(CAST(:wanted AS bytea[])) AS w (one)"
                f" JOIN {table} t ON t.{column} = w.one"
            ),
            {"wanted": list(values)},
        ).all()


def _driver(connection: Connection) -> psycopg.Connection[Any]:
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection), "the driver is psycopg's"
    return driver


def _array_of(kind: object) -> str:
    return next((name for type_, name in _ARRAYS if isinstance(kind, type_)), "text")
