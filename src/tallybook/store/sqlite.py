"""SQLite as the book: one file, no server (WAL, synchronous FULL)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, Row, create_engine, event, text
from sqlalchemy.pool import NullPool

from tallybook.errors import CorruptedError, StoreError

_PRAGMAS: Final = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "cache_size=-262144",
    # Claims touch pages all over the tree: many batches must share one checkpoint of the log, or it
    # costs more than the batches (`Store.held_open`). 256 MiB of log is what that may take.
    "wal_autocheckpoint=65536",
    # Without it REPLACE deletes a row silently, past the triggers that keep the journal (INV-03).
    "recursive_triggers=ON",
)

_WANTED_AT_ONCE: Final = 50_000


class Sqlite:
    """One file.

    Args:
        path: of the file.
    """

    name: Final = "sqlite"
    read: Final = "BEGIN"
    write: Final = "BEGIN IMMEDIATE"
    faults: Final[tuple[type[Exception], ...]] = (sqlite3.DatabaseError,)

    def __init__(self, path: Path) -> None:
        self._path = path

    def engine(self) -> Engine:
        """What connects."""
        # As a part of an address, `?` and `%` would name another file.
        address = URL.create("sqlite", database=str(self._path))
        engine = create_engine(address, poolclass=NullPool, connect_args={"timeout": 60})

        @event.listens_for(engine, "connect")
        def _configure(connection: sqlite3.Connection, _: object) -> None:
            # The driver must not open transactions behind our back: we say BEGIN ourselves.
            connection.isolation_level = None
            try:
                for pragma in _PRAGMAS:
                    connection.execute(f"PRAGMA {pragma}")
            except UnicodeDecodeError as fault:
                raise self.error(fault) from fault

        return engine

    def begin(self, connection: Connection, statement: str) -> None:
        """Begin a transaction."""
        connection.exec_driver_sql(statement)

    def answers(self, connection: Connection) -> bool:  # noqa: ARG002 - a file is there or is not
        """A file does not hang up."""
        return True

    def error(self, fault: BaseException) -> StoreError:
        """The driver's error as ours, which says what to do."""
        if isinstance(fault, UnicodeDecodeError):
            # The driver quotes damaged bytes in its message and stumbles over them.
            return self._told(f"malformed text: {fault}")
        return self._told(str(fault))

    def _told(self, message: str) -> StoreError:
        where, lowered = str(self._path), message.lower()
        if "malformed" in lowered or "not a database" in lowered:
            return CorruptedError(
                f"the book file is damaged: {message}",
                where=where,
                next_step="stop writing, restore the file from a backup, then run:"
                " tallybook verify",
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

    def integrity(self, connection: Connection) -> list[str]:
        """What the database itself finds wrong with its pages and indexes."""
        rows = connection.exec_driver_sql("PRAGMA integrity_check(20)")
        found = [str(row[0]) for row in rows]
        return [] if found == ["ok"] else found

    def guards(self, connection: Connection) -> set[str]:
        """The names of the triggers that stand."""
        rows = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        return {str(row[0]) for row in rows}

    def tables(self, connection: Connection) -> list[str]:
        """The names of the tables."""
        rows = connection.exec_driver_sql(
            "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
        )
        return [str(row[0]) for row in rows]

    def not_whole(self, connection: Connection, table: str, column: str) -> int:
        """How many values of a column are no whole numbers: SQLite would let them."""
        found = connection.exec_driver_sql(
            f"SELECT COUNT(*) FROM {table} WHERE typeof({column}) <> 'integer'"
        )
        return int(found.scalar() or 0)

    def last_number(self, connection: Connection, table: str, column: str) -> int:  # noqa: ARG002 - another store needs the column
        """The highest number that a table ever gave a row, be that row deleted."""
        found = connection.exec_driver_sql(
            "SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)
        )
        return int(found.scalar() or 0)

    def note_number(self, connection: Connection, table: str, column: str, number: int) -> None:  # noqa: ARG002 - another store needs the column
        """Keep that a table gave a number, also where no row has it any more."""
        known = connection.exec_driver_sql(
            "UPDATE sqlite_sequence SET seq = MAX(seq, ?) WHERE name = ?", (number, table)
        )
        if not known.rowcount:
            connection.exec_driver_sql(
                "INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, number)
            )

    def read_once(self, connection: Connection) -> None:
        """A small cache: what is never read again would only push out what the processor holds."""
        connection.exec_driver_sql("PRAGMA cache_size=-4096")

    def plain_rows(
        self, connection: Connection, statement: str, params: dict[str, object]
    ) -> list[tuple[Any, ...]] | None:
        """All rows as plain tuples; None if the statement fails on what is stored."""
        cursor = connection.connection.cursor()
        try:
            cursor.execute(statement, params)
            return list(cursor.fetchall())
        except (sqlite3.DatabaseError, UnicodeDecodeError):
            return None
        finally:
            cursor.close()

    def run_tuples(
        self, connection: Connection, statement: str, params: Sequence[tuple[object, ...]]
    ) -> int:
        """Execute once per tuple; returns the number of rows touched."""
        return connection.exec_driver_sql(statement, list(params)).rowcount

    def rows_among(
        self, connection: Connection, table: str, column: str, values: Iterable[bytes]
    ) -> Sequence[Row[Any]]:
        """The rows of a table whose column is one of some values, found by one join."""
        connection.exec_driver_sql(
            "CREATE TEMP TABLE IF NOT EXISTS wanted (one BLOB PRIMARY KEY) WITHOUT ROWID"
        )
        connection.exec_driver_sql("DELETE FROM wanted")
        left = iter(values)
        while part := [(value,) for value in islice(left, _WANTED_AT_ONCE)]:
            connection.exec_driver_sql("INSERT INTO wanted (one) VALUES (?)", part)
        found = text(f"SELECT t.* FROM wanted w JOIN {table} t ON t.{column} = w.one")
        return connection.execute(found).all()
