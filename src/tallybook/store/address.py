"""Where books are: a folder that names the database and the place of the sealed files.

``HOME/book.sqlite`` alone is a whole set of books. ``HOME/store.yaml`` names another database, of
which this folder is then one of the doors:

    database: postgresql://tally@db.example/books
    lake: s3://acme-tallybook/lake

``database`` is an address as libpq reads it; it holds no password (``PGPASSWORD``, ``~/.pgpass`` or
a service file do). Without it the book is ``HOME/book.sqlite``; without ``lake`` sealed files lie
in ``HOME/lake``.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlsplit

import yaml

from tallybook.errors import StoreError

BOOK: Final = "book.sqlite"
STORE_FILE: Final = "store.yaml"
_SCHEMES: Final = ("postgresql", "postgres")
_KEYS: Final = ("database", "lake")


@dataclass(frozen=True, slots=True)
class Address:
    """Where one set of books is.

    Args:
        home: the folder; files of this host, as what was rejected, lie there in any case.
        database: URL of a PostgreSQL database; '' is ``HOME/book.sqlite``.
        lake: URL of the place of the sealed files; '' is ``HOME/lake``.
    """

    home: Path
    database: str = ""
    lake: str = ""

    @property
    def told(self) -> str:
        """The database as errors name it: without user, password and options."""
        if not self.database:
            return str(self.home / BOOK)
        parts = urlsplit(self.database)
        host = parts.hostname or dict(parse_qsl(parts.query)).get("host", "")
        port = f":{parts.port}" if parts.port else ""
        return f"postgresql://{host}{port}{parts.path}"


def holds_books(home: Path) -> bool:
    """Whether a folder is the home of books."""
    return (home / BOOK).is_file() or (home / STORE_FILE).is_file()


def read_address(home: Path) -> Address:
    """Where the books of a folder are.

    Raises:
        StoreError: ``store.yaml`` is not as the head of this module says.
    """
    path = home / STORE_FILE
    if not path.is_file():
        return Address(home)
    try:
        told = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise _refused(path, f"it is no YAML: {error}") from error
    if not isinstance(told, dict) or not told.keys() <= set(_KEYS):
        raise _refused(path, f"it may name {' and '.join(_KEYS)}, and nothing else")
    values = [told.get(key) or "" for key in _KEYS]
    if not all(isinstance(value, str) for value in values):
        raise _refused(path, "database and lake are addresses")
    return checked(Address(home, *values))


def write_address(address: Address) -> None:
    """Write ``store.yaml``, safe on disk; books that are a folder alone need none."""
    if not (address.database or address.lake):
        return
    told = {"database": address.database, "lake": address.lake}
    path = address.home / STORE_FILE
    partial = path.with_suffix(f".{os.getpid()}.partial")
    with partial.open("w", encoding="utf-8") as file:
        yaml.safe_dump({name: value for name, value in told.items() if value}, file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def checked(address: Address) -> Address:
    """The address, if it can be one.

    Raises:
        StoreError: another scheme, or a password in it.
    """
    place = str(address.home / STORE_FILE)
    if address.database:
        parts = urlsplit(address.database)
        if parts.scheme not in _SCHEMES or not parts.path.strip("/"):
            raise StoreError(
                f"{parts.scheme}: is no address of a database that books may be in",
                where=place,
                next_step="write it as postgresql://user@host/database",
            )
        if parts.password or "password" in dict(parse_qsl(parts.query)):
            raise StoreError(
                "the address of the database holds a password, which is not to be stored",
                where=place,
                next_step="leave it out, and give it in PGPASSWORD or in ~/.pgpass",
            )
    if address.lake and "://" not in address.lake:
        raise StoreError(
            f"{address.lake!r} is no address of a place for sealed files",
            where=place,
            next_step="write it as s3://bucket/folder or file:///folder",
        )
    return address


def _refused(path: Path, what: str) -> StoreError:
    return StoreError(
        f"the file that names the store is wrong: {what}",
        where=str(path),
        next_step="see docs/store.md",
    )
