"""Books on either store, for tests that ask both the same.

A test marked ``both_stores`` runs on SQLite and on PostgreSQL: its fixture ``new_store``, and the
company of ``tests/company.py``, are on the one and on the other. ``TALLYBOOK_TEST_STORE=postgresql``
puts all books of these fixtures on PostgreSQL: ``make test-postgres``.
"""

from __future__ import annotations

import atexit
import os
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import servers
from tallybook.store import Store
from tallybook.store.address import Address, holds_books, write_address

STORES = ("sqlite", "postgresql")
USUAL = os.environ.get("TALLYBOOK_TEST_STORE", STORES[0])


class Stores:
    """Makes books of one kind, and takes their databases away.

    Args:
        kind: of `STORES`.
    """

    def __init__(self, kind: str = USUAL) -> None:
        self.kind = kind
        self._held = ExitStack()

    def database(self) -> str:
        """URL of an empty database; '' is a file."""
        if self.kind == "sqlite":
            return ""
        return self._held.enter_context(servers.postgres_database())

    def open(self, home: Path) -> Store:
        """The books of a folder, made if there are none."""
        if holds_books(home):
            return Store.open(home)
        if self.kind == "sqlite":
            return Store.create(home)
        home.mkdir(parents=True, exist_ok=True)
        url = self._held.enter_context(servers.postgres_database(template=_template()))
        write_address(Address(home, url))
        return Store.open(home)

    def close(self) -> None:
        """Take the databases away."""
        self._held.close()


@cache
def usual_stores() -> Stores:
    """Books of the usual kind, for what has no fixture; gone when the process ends."""
    made = Stores()
    atexit.register(made.close)
    return made


def _template() -> str:
    """The name of a database with empty books, made once in each process: a copy takes 50 ms."""
    if not _made:
        url = _kept.enter_context(servers.postgres_database())
        with TemporaryDirectory() as folder:
            Store.create(Path(folder) / "books", url).close()
        _made.append(url.partition("?")[0].rpartition("/")[2])
    return _made[0]


_made: list[str] = []
_kept = ExitStack()
atexit.register(_kept.close)
