"""Where sealed files lie: a folder, or an object storage that fsspec opens (S3 and others).

The order is the same for both (`seal.py`): a file is whole and safe in its place before the
manifest names it, and it never changes after. In a folder it is written beside, synced, renamed,
and the folder synced. An object is put in one piece, which the storage keeps durable before it
answers; a file of that name that nobody lists is an earlier try with the same bytes.

Engines read files. An object is fetched once into ``HOME/lake/cache``, under the SHA-256 that the
manifest has of it, and is not taken if it has another: what is read is what was sealed. The cache
may be emptied at any time.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import unquote, urlsplit

from tallybook.errors import CorruptedError, StoreError
from tallybook.store.address import Address

_BLOCK: Final = 1 << 20


class Shelf(Protocol):
    """Where sealed files lie. A name is as in the manifest: ``events/2026-10/...parquet``."""

    def place(self, name: str) -> str:
        """Where a file lies, for people."""

    def desk(self, name: str) -> Path:
        """The path at which a file is written before it is kept."""

    def keep(self, partial: Path, name: str, digest: str) -> None:
        """Put a synced file into its place, safe against a power cut.

        Raises:
            OSError: the disk or the storage refuses.
        """

    def path(self, name: str, digest: str) -> Path:
        """A file that engines can read, with these bytes as far as it was fetched.

        Raises:
            StoreError: the storage does not give it.
            CorruptedError: it has another digest.
        """

    def forget(self, digest: str) -> bool:
        """Give up a copy that was fetched; whether `path` may give another."""

    def digest(self, name: str) -> str:
        """The SHA-256 of the bytes that lie there, in hex.

        Raises:
            OSError: they cannot be read.
        """


class Folder:
    """A folder of this host, or one that hosts share."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def place(self, name: str) -> str:
        """Its path."""
        return str(self._root / name)

    def desk(self, name: str) -> Path:
        """Beside its place: a rename is no copy."""
        return _desk(self._root / name)

    def keep(self, partial: Path, name: str, digest: str) -> None:  # noqa: ARG002 - see `Objects`
        """Rename it, and sync the folder."""
        path = self._root / name
        partial.rename(path)
        sync(path.parent)

    def path(self, name: str, digest: str) -> Path:  # noqa: ARG002 - see `Objects`
        """Where it lies."""
        return self._root / name

    def forget(self, digest: str) -> bool:  # noqa: ARG002 - see `Objects`
        """It lies here, and nowhere else."""
        return False

    def digest(self, name: str) -> str:
        """The SHA-256 of the file."""
        return file_sha256(self._root / name)


class Objects:
    """A place in an object storage.

    Args:
        url: as fsspec reads it, ``s3://bucket/folder``.
        cache: folder of this host for what was fetched.
    """

    def __init__(self, url: str, cache: Path) -> None:
        self._url = url.rstrip("/")
        self._cache = cache

    def place(self, name: str) -> str:
        """Its address."""
        return f"{self._url}/{name}"

    def desk(self, name: str) -> Path:
        """In the cache, which takes it over."""
        return _desk(self._cache / name.replace("/", "-"))

    def keep(self, partial: Path, name: str, digest: str) -> None:
        """Put it as one object, see that it is there whole, and keep it for reading."""
        size = partial.stat().st_size
        with self._asked(name) as (storage, path):
            storage.put_file(str(partial), path)
            storage.invalidate_cache()
            held = storage.info(path)["size"]
            if held != size:
                raise OSError(errno.EIO, f"{held} of {size} bytes arrived", self.place(name))
        partial.rename(self._cached(digest))

    def path(self, name: str, digest: str) -> Path:
        """Its copy in the cache, fetched if it is not there."""
        path = self._cached(digest)
        if path.is_file():
            return path
        partial = self.desk(name)
        try:
            with self._asked(name) as (storage, remote):
                storage.get_file(remote, str(partial))
            found = file_sha256(partial)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise StoreError(
                f"a sealed file cannot be fetched: {error.strerror or error}",
                where=self.place(name),
                next_step="see that the storage answers and lets us read, and that the file is"
                " there; then run the same command again",
            ) from error
        if found != digest:
            partial.unlink()
            raise CorruptedError(
                f"a sealed file is not what was written: SHA-256 {found[:16]}.. instead of"
                f" {digest[:16]}..",
                where=self.place(name),
                next_step="restore this file from a backup; nothing was posted from it",
            )
        sync(partial)
        partial.rename(path)
        return path

    def forget(self, digest: str) -> bool:
        """Take it out of the cache."""
        self._cached(digest).unlink(missing_ok=True)
        return True

    def digest(self, name: str) -> str:
        """The SHA-256 of the object as the storage gives it now."""
        found = sha256()
        with self._asked(name) as (storage, path), storage.open(path, "rb") as file:
            while block := file.read(_BLOCK):
                found.update(block)
        return found.hexdigest()

    def _cached(self, digest: str) -> Path:
        return self._cache / f"{digest}.parquet"

    @contextmanager
    def _asked(self, name: str) -> Iterator[tuple[Any, str]]:
        """The storage and the path in it; whatever goes wrong is an `OSError`."""
        from fsspec.core import url_to_fs  # noqa: PLC0415 - books in a folder need none of it

        try:
            yield url_to_fs(self.place(name))
        except OSError as error:
            if error.strerror:
                raise
            raise OSError(errno.EIO, str(error), self.place(name)) from error
        except ImportError as error:
            what = f"{error}; pip install 'tallybook[s3]' for s3://"
            raise OSError(errno.ENOSYS, what, self.place(name)) from error
        except Exception as error:
            # Each storage has errors of its own, of its client: not to be reached, no rights.
            raise OSError(errno.EIO, str(error), self.place(name)) from error


def shelf_of(address: Address) -> Shelf:
    """Where the sealed files of some books lie."""
    own = address.home / "lake"
    if not address.lake:
        return Folder(own)
    parts = urlsplit(address.lake)
    if parts.scheme == "file":
        return Folder(Path(unquote(parts.path)))
    return Objects(address.lake, own / "cache")


def _desk(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Hosts that share a folder may have processes of one number.
    return path.with_name(f"{path.name}.{os.uname().nodename}.{os.getpid()}.partial")


def sync(path: Path) -> None:
    """Make a file's bytes, or a folder's names, safe against a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hex."""
    digest = sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
