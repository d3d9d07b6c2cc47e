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
from urllib.parse import SplitResult, parse_qsl, urlsplit

import yaml

from tallybook.errors import StoreError

BOOK: Final = "book.sqlite"
STORE_FILE: Final = "store.yaml"
_SCHEMES: Final = ("postgresql", "postgres")
_KEYS: Final = ("database", "lake")
_SECRETS: Final = {"password", "sslpassword"}


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
        hosts = parts.netloc.rpartition("@")[2] or dict(parse_qsl(parts.query)).get("host", "")
        return f"postgresql://{hosts}{parts.path}"


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
    """Write ``store.yaml``, safe on disk; books that are a folder alone have none."""
    path = address.home / STORE_FILE
    if not (address.database or address.lake):
        path.unlink(missing_ok=True)
        return
    told = {"database": address.database, "lake": address.lake}
    partial = path.with_suffix(f".{os.getpid()}.partial")
    with partial.open("w", encoding="utf-8") as file:
        yaml.safe_dump({name: value for name, value in told.items() if value}, file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def remove_address(home: Path) -> None:
    """Make a folder the home of no books; a book that is a file goes with it."""
    for name in (STORE_FILE, BOOK, f"{BOOK}-wal", f"{BOOK}-shm"):
        (home / name).unlink(missing_ok=True)


def checked(address: Address) -> Address:
    """The address, if it can be one.

    Raises:
        StoreError: another scheme, no place in it, or a password.
    """
    where = str(address.home / STORE_FILE)
    if address.database:
        _check_database(_split(address.database), where)
    if address.lake:
        _check_lake(_split(address.lake), where)
    return address


def _check_database(parts: SplitResult | None, where: str) -> None:
    if parts is None or parts.scheme not in _SCHEMES or not parts.path.strip("/"):
        named = parts.scheme if parts else "this"
        raise StoreError(
            f"{named}: is no address of a database that books may be in",
            where=where,
            next_step="write it as postgresql://user@host/database",
        )
    if parts.password or not _SECRETS.isdisjoint(dict(parse_qsl(parts.query))):
        raise StoreError(
            "the address of the database holds a password, which is not to be stored",
            where=where,
            next_step="leave it out, and give it in PGPASSWORD or in ~/.pgpass",
        )


def _check_lake(parts: SplitResult | None, where: str) -> None:
    if parts is not None and parts.password:
        raise StoreError(
            "the address of the sealed files holds a password, which is not to be stored",
            where=where,
            next_step="leave it out, and give it where the storage's client looks for it, as in"
            " AWS_SECRET_ACCESS_KEY or a role",
        )
    # What follows file:// up to the next slash is a host, and would be left out silently.
    is_folder = parts is not None and parts.scheme == "file"
    if (
        parts is None
        or not parts.scheme
        or (is_folder and (parts.netloc or not parts.path.strip("/")))
        or not (is_folder or parts.netloc)
    ):
        raise StoreError(
            "this is no address of a place for sealed files",
            where=where,
            next_step="write it as s3://bucket/folder or file:///folder",
        )


def _split(url: str) -> SplitResult | None:
    """The parts of an address; None where it has none."""
    try:
        return urlsplit(url)
    except ValueError:
        return None


def _refused(path: Path, what: str) -> StoreError:
    return StoreError(
        f"the file that names the store is wrong: {what}",
        where=str(path),
        next_step="see docs/store.md",
    )
