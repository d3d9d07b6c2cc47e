"""Books of an earlier release are brought to this one: a copy first, then the schema in one step.

Only tables are added or widened. No row of the journal changes, and the sealed files stay as they
are, so the chain keeps its head and every issued statement its bytes. The way back is the same one,
as far as nothing that was recorded would be lost (`removal.py`).

A file is copied beside itself. A database is its server's to copy (``pg_dump``); the change is
one transaction of it.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from tallybook.errors import CorruptedError, StoreError, WrongUsageError
from tallybook.store import faults
from tallybook.store.address import BOOK, holds_books
from tallybook.store.commands import Command, log_command
from tallybook.store.engine import HEAD, MIGRATIONS, Store, Tx
from tallybook.store.shelf import sync


@dataclass(frozen=True, slots=True)
class Upgraded:
    """What an upgrade did.

    Args:
        before: version of the schema that was found.
        after: version that it has now.
        steps: number and sentence of each migration, in their order; none if nothing was to do.
        backup: the book file as it was; None if nothing was to do, or the book is a database.
    """

    before: str
    after: str
    steps: tuple[tuple[str, str], ...]
    backup: Path | None


def upgrade(
    home: Path, to: str = HEAD, command: Command | None = None, now_us: int = 0
) -> Upgraded:
    """Bring books to this release, or to the schema of an earlier one.

    Args:
        home: their folder.
        to: the version of the schema: the number of a migration.
        command: logged in the transaction of the change.
        now_us: when.

    Raises:
        StoreError: there are no books, the disk refuses, or the earlier schema has no place for
            something that was recorded; the books are as they were.
        CorruptedError: a later release wrote them.
    """
    if not holds_books(home):
        raise StoreError("no books here", where=str(home), next_step="name the folder of the books")
    store = Store(home)
    try:
        before = store.version()
        steps = _steps(before, to, store.address.told)
        if not steps:
            return Upgraded(before, before, (), None)
        kept: list[Path] = []

        def keep() -> None:
            if store.version() != before:
                raise StoreError(
                    "another command upgrades these books",
                    where=str(home),
                    next_step="run it again: it says what there is to do",
                )
            if not store.address.database:
                kept.append(_copied(home, before))
            faults.reached("upgrade.kept")

        def log(tx: Tx) -> None:
            if command:
                log_command(tx, command, now_us, {}, f"schema {before} to {to}")

        store.migrate(keep, to, log)
        faults.reached("upgrade.migrated")
        return Upgraded(before, store.version(), steps, kept[0] if kept else None)
    finally:
        store.close()


def _steps(before: str, to: str, where: str) -> tuple[tuple[str, str], ...]:
    """The migrations from one version to another; those of the way back in that order."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - only an old schema needs it

    if before == to:
        return ()
    folder = ScriptDirectory(str(MIGRATIONS))
    every = [(one.revision, one.doc) for one in folder.walk_revisions()][::-1]
    numbers = [number for number, _ in every]
    if before not in numbers:
        raise CorruptedError(
            f"the book's schema is version {before!r}; this release knows {numbers[0]} to {HEAD}",
            where=where,
            next_step="open the books with the release that wrote them",
        )
    if to not in numbers:
        raise WrongUsageError(
            f"there is no schema {to!r}; this release knows {numbers[0]} to {HEAD}",
            next_step="name one of them",
        )
    first, last = numbers.index(before) + 1, numbers.index(to) + 1
    return tuple(every[first:last] if first < last else every[last:first][::-1])


def _copied(home: Path, version: str) -> Path:
    """A whole copy of the book file, safe on disk, beside it."""
    names = (f"book-{version}{again}.sqlite" for again in ("", *(f"-{n}" for n in range(2, 1000))))
    path = next(path for name in names if not (path := home / name).exists())
    partial = path.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    source = sqlite3.connect(f"{(home / BOOK).resolve().as_uri()}?mode=ro", uri=True)
    target = sqlite3.connect(partial)
    try:
        source.backup(target)
    finally:
        target.close()
        source.close()
    sync(partial)
    partial.rename(path)
    sync(home)
    return path
