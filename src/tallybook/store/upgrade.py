"""Books of an earlier release are brought to this one: a copy first, then the schema in one step.

Only tables are added or widened. No row of the journal changes, and the sealed files stay as they
are, so the chain keeps its head and every issued statement its bytes.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from tallybook.errors import CorruptedError, StoreError
from tallybook.store import faults
from tallybook.store.engine import BOOK, HEAD, Store
from tallybook.store.seal import sync


@dataclass(frozen=True, slots=True)
class Upgraded:
    """What an upgrade did.

    Args:
        before: version of the schema that was found.
        after: version that it has now.
        steps: number and sentence of each migration, in their order; none if nothing was to do.
        backup: the book file as it was; None if nothing was to do.
    """

    before: str
    after: str
    steps: tuple[tuple[str, str], ...]
    backup: Path | None


def upgrade(home: Path) -> Upgraded:
    """Bring books to this release.

    Raises:
        StoreError: there are no books, or the disk refuses; the books are as they were.
        CorruptedError: a later release wrote them.
    """
    if not (home / BOOK).is_file():
        raise StoreError("no books here", where=str(home), next_step="name the folder of the books")
    store = Store(home)
    try:
        before = _version(store)
        if before == HEAD:
            return Upgraded(before, before, (), None)
        steps = _steps_after(before, home)
        kept: list[Path] = []

        def keep() -> None:
            if _version(store) != before:
                raise StoreError(
                    "another command upgrades these books",
                    where=str(home),
                    next_step="run it again: it says what there is to do",
                )
            kept.append(_copied(home, before))
            faults.reached("upgrade.kept")

        store.migrate(keep)
        faults.reached("upgrade.migrated")
        return Upgraded(before, _version(store), steps, kept[0])
    finally:
        store.close()


def _version(store: Store) -> str:
    with store.read() as tx:
        return str(tx.scalar("SELECT version_num FROM alembic_version"))


def _steps_after(version: str, home: Path) -> tuple[tuple[str, str], ...]:
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - only an old schema needs it

    folder = ScriptDirectory(str(Path(__file__).parent / "migrations"))
    every = [(one.revision, one.doc) for one in folder.walk_revisions()][::-1]
    numbers = [number for number, _ in every]
    if version not in numbers:
        raise CorruptedError(
            f"the book's schema is version {version!r}; this release knows {numbers[0]} to {HEAD}",
            where=str(home / BOOK),
            next_step="open the books with the release that wrote them",
        )
    return tuple(every[numbers.index(version) + 1 :])


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
