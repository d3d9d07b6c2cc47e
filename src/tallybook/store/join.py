"""A second host: a folder of its own becomes another door to books that are in a database."""

from __future__ import annotations

from pathlib import Path

from tallybook.errors import StoreError
from tallybook.store.address import write_address
from tallybook.store.engine import Store, new_address
from tallybook.store.lake import EVERY


def join(home: Path, database: str, lake: str = "") -> Store:
    """Make a folder a door to books that are there.

    Args:
        home: the folder; it holds no books.
        database: URL of the PostgreSQL database that the books are in.
        lake: URL of the place of their sealed files; '' is ``lake`` in the folder, which the
            hosts then have to share.

    Raises:
        StoreError: the folder holds books, the database none, or the sealed files that the manifest
            lists are not in that place.
        CorruptedError: the books are of another release.
    """
    store = Store(home, new_address(home, database, lake))
    try:
        store.expect_books("make them with: tallybook init HOME --store URL")
        store.expect_head()
        _expect_lake(store)
        home.mkdir(parents=True, exist_ok=True)
        write_address(store.address)
    except StoreError:
        store.close()
        raise
    return store


def _expect_lake(store: Store) -> None:
    """See that the place of sealed files is that of these books: it holds what they list."""
    snapshot = store.lake.snapshot(kinds=EVERY)
    for place, what in store.lake.faults(snapshot):
        raise StoreError(
            f"this is not the place of these books' {len(snapshot.files)} sealed files: {what}",
            where=place,
            next_step="name the place that the first host uses: --lake URL (its store.yaml says),"
            " or mount that folder here",
        )
