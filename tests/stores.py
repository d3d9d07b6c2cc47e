"""Books on either store, for tests that ask both the same.

A test marked ``both_stores`` runs on SQLite and on PostgreSQL: its fixture ``new_store``, and the
company of ``tests/company.py``, are on the one and on the other. ``TALLYBOOK_TEST_STORE=postgresql``
puts all books of these fixtures on PostgreSQL: ``make test-postgres``. A test that is of the file alone,
because it damages its bytes or writes what no typed column takes, is marked ``of_the_file`` and is
left out there.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

import servers
from tallybook.store import Store
from tallybook.store.address import Address, holds_books, read_address, write_address

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

    def copy(self, home: Path, copy: Path) -> Path:
        """Books as they stand, in another folder; whoever reads them meanwhile is sent away."""
        shutil.copytree(home, copy, dirs_exist_ok=True)
        held = read_address(copy)
        if held.database:
            told = servers.postgres_database(template=_name_of(held.database))
            write_address(Address(copy, self._held.enter_context(told), held.lake))
        return copy

    def close(self) -> None:
        """Take the databases away."""
        self._held.close()


class Template:
    """Books that are made once for each kind of store, for tests to copy.

    Args:
        folder: where they are made.
        fill: does what they have lived through; gets a folder and what opens books there.
    """

    def __init__(self, folder: Path, fill: Callable[[Path, Callable[[Path], Store]], None]) -> None:
        self._folder = folder
        self._fill = fill

    def home(self, kind: str = USUAL) -> Path:
        """The books themselves, to be read."""
        home = self._folder / kind
        if not home.exists():
            self._fill(home, kept_stores(kind).open)
        return home


def disk_full(kind: str, words: str) -> Exception:
    """What a driver raises when the disk under its database refuses."""
    return {"sqlite": sqlite3.OperationalError, "postgresql": psycopg.errors.DiskFull}[kind](words)


@cache
def kept_stores(kind: str = USUAL) -> Stores:
    """Books for what has no fixture, or serves many tests; gone when the process ends."""
    made = Stores(kind)
    atexit.register(made.close)
    return made


def _template() -> str:
    """The name of a database with empty books, made once in each process: a copy takes 50 ms."""
    if not _made:
        url = _kept.enter_context(servers.postgres_database())
        with TemporaryDirectory() as folder:
            Store.create(Path(folder) / "books", url).close()
        _made.append(_name_of(url))
    return _made[0]


def _name_of(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[2]


_made: list[str] = []
_kept = ExitStack()
atexit.register(_kept.close)
