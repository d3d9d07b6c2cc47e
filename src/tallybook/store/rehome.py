"""Books get another home: an exact copy in another folder, database or place of sealed files.

A file becomes a PostgreSQL database when a second host is to write, and the other way round. Every
row and every sealed file is taken over as it is, so the chain keeps its head and every issued
statement its bytes. The journal goes in through the guards of the new store, link by link.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Table

from tallybook.errors import CorruptedError, StoreError
from tallybook.store.address import remove_address
from tallybook.store.engine import Store, Tx
from tallybook.store.lake import EVERY
from tallybook.store.schema import CHAIN, METADATA, POSTING
from tallybook.store.seal import SealedFile, sealed_file_of
from tallybook.store.shelf import sync

_LAST = (POSTING.name, CHAIN.name)  # the guards look at an entry's postings when its link comes
_NOT_OURS = {"alembic_version", "sqlite_sequence"}


@dataclass(frozen=True, slots=True)
class Rehomed:
    """What was taken over: rows of all tables, and sealed files."""

    rows: int
    files: int


def rehome(
    old: Path,
    new: Path,
    database: str = "",
    lake: str = "",
    last: Callable[[Tx], None] = lambda _tx: None,
) -> Rehomed:
    """Make a copy of books elsewhere; the old ones stay as they are, and nobody writes meanwhile.

    Args:
        old: the home of the books.
        new: the home of the copy.
        database: URL of an empty PostgreSQL database; '' makes a file.
        lake: URL of an empty place for sealed files; '' is in the folder.
        last: writes into the copy behind what was taken over, in the same transaction.

    Raises:
        StoreError: there are no books, or the new place holds some or refuses.
        CorruptedError: a sealed file is not what was written.
        OSError: the disk refuses.

        Whichever it is, the new place holds no books then.
    """
    source = Store.open(old)
    try:
        with source.write() as reading:
            taken: list[Rehomed] = []

            def take(made: Store, writing: Tx) -> None:
                taken.append(_taken(source, reading, made, writing))
                last(writing)

            made = Store.create(new, database, lake, fill=take)
            try:
                made.lake.verify(made.lake.snapshot(kinds=EVERY))
            except BaseException:
                _take_back(made)
                raise
            finally:
                made.close()
        return taken[0]
    finally:
        source.close()


def _taken(source: Store, reading: Tx, made: Store, writing: Tx) -> Rehomed:
    files = [sealed_file_of(row) for row in reading.rows("SELECT * FROM sealed_file ORDER BY path")]
    for file in files:
        _take_file(source, made, file)
    rows = sum(_take_rows(reading, writing, table) for table in _tables(reading))
    return Rehomed(rows, len(files))


def _take_back(made: Store) -> None:
    """A copy that is not the books is none: the command may be given again."""
    if made.address.database:
        with suppress(StoreError):
            made.migrate(to="base")
    made.close()
    remove_address(made.home)


def _tables(tx: Tx) -> list[Table]:
    held = set(tx.tables()) - _NOT_OURS
    unknown = held - METADATA.tables.keys()
    assert not unknown, f"tables that no schema names: {sorted(unknown)}"
    return sorted(
        (METADATA.tables[name] for name in held),
        key=lambda table: (table.name in _LAST, table.name != POSTING.name, table.name),
    )


def _take_rows(reading: Tx, writing: Tx, table: Table) -> int:
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    order = ", ".join(f'"{column.name}"' for column in table.primary_key.columns)
    binds = ", ".join("?" * len(table.columns))
    taken = 0
    for rows in reading.stream(f"SELECT {names} FROM {table.name} ORDER BY {order}"):
        taken += writing.run_tuples(f"INSERT INTO {table.name} ({names}) VALUES ({binds})", rows)
    numbered = table.autoincrement_column
    if numbered is not None and numbered.autoincrement is True:
        highest = reading.scalar(f'SELECT COALESCE(MAX("{numbered.name}"), 0) FROM {table.name}')
        last = max(int(highest), reading.last_number(table.name, numbered.name))
        if last:
            writing.note_number(table.name, numbered.name, last)
    return taken


def _take_file(source: Store, made: Store, file: SealedFile) -> None:
    found = source.lake.shelf.digest(file.path)
    if found != file.sha256:
        raise CorruptedError(
            f"a sealed file is not what was written: SHA-256 {found[:16]}.. instead of"
            f" {file.sha256[:16]}..",
            where=source.lake.place(file),
            next_step="restore this file from a backup; the old books are as they were",
        )
    partial = made.lake.shelf.desk(file.path)
    shutil.copyfile(source.lake.path(file), partial)
    sync(partial)
    made.lake.shelf.keep(partial, file.path, file.sha256)
