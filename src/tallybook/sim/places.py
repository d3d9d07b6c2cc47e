"""Where the books of a simulation are: in a file, or in schemas of a PostgreSQL database.

Each set of books has a schema of its own, which is dropped afterwards. There a command also dies
by its connection: the server ends it, wherever the command is.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from tallybook.errors import StoreError
from tallybook.sim.world.hands import open_books
from tallybook.store import Store
from tallybook.store.address import Address, checked

if TYPE_CHECKING:
    from psycopg import Connection

_NUMBERS: Final = count(1)


class Places:
    """Makes books, and takes their schemas away.

    Args:
        url: of a PostgreSQL database in which we may make schemas; '' makes files.

    Raises:
        StoreError: it is no such address, or its driver is not installed.
    """

    def __init__(self, url: str = "") -> None:
        checked(Address(Path(), url))
        self.url = url
        self._schemas: dict[Path, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def open(self, home: Path, template: Path | None = None) -> Store:
        """New books in a folder; those of a file may be copied from empty ones."""
        if not self.url:
            return open_books(home, template)
        name = f"tallybook_sim_{os.getpid()}_{next(_NUMBERS)}"
        with self._connected() as server:
            server.execute(f"CREATE SCHEMA {name}")
        self._schemas[home] = name
        return Store.create(home, self._address(name))

    def cut(self, home: Path) -> None:
        """End every connection to the books of a folder, whatever is under way on it."""
        with self._connected() as server:
            server.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE application_name = %s",
                (self._schemas[home],),
            )

    def close(self) -> None:
        """Take the schemas away."""
        while self._schemas:
            _, name = self._schemas.popitem()
            with self._connected() as server:
                server.execute(f"DROP SCHEMA {name} CASCADE")

    def _address(self, name: str) -> str:
        parts = urlsplit(self.url)
        told = dict(parse_qsl(parts.query))
        told |= {"options": f"-csearch_path={name}", "application_name": name}
        return urlunsplit(parts._replace(query=urlencode(told, quote_via=quote)))

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        try:
            import psycopg  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise StoreError(
                "books on PostgreSQL need its driver, which is not installed",
                next_step="pip install 'tallybook[postgres]'",
            ) from error
        try:
            with psycopg.connect(self.url, autocommit=True, connect_timeout=10) as server:
                yield server
        except psycopg.Error as error:
            raise StoreError(
                f"the database refuses us: {' '.join(str(error).split())}",
                where=self.url.partition("?")[0],
                next_step="give the address of one in which we may make schemas",
            ) from error
