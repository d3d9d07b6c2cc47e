"""The limits in force and the prices, in files that the steward writes and every process reads.

The files stay when the books or the store are gone: the last limits hold.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from tallybook.books.documents import Document, document_of, parse
from tallybook.books.model import Prices
from tallybook.budget.limits import Limits, as_plain, from_plain
from tallybook.errors import CorruptedError
from tallybook.gateway.prices import PriceTable

NAME: Final = "limits.json"
BOOKS: Final = "books.json"
_MODE: Final = 0o700


def folder_of(spool: Path) -> Path:
    """Where a node keeps what it knows of budgets, beside its spool."""
    return spool.with_name(spool.name + ".budgets")


def publish(
    folder: Path, months: list[Limits], documents: Mapping[str, Document] | None = None
) -> None:
    """Write the limits of some months, and the policy files as recorded, whose prices hold."""
    folder.mkdir(parents=True, exist_ok=True, mode=_MODE)
    if documents is not None:
        bodies = {kind: one.body for kind, one in sorted(documents.items())}
        _write(folder / BOOKS, msgspec.json.encode(bodies))
    _write(folder / NAME, msgspec.json.encode([as_plain(one) for one in months]))


def _write(path: Path, text: bytes) -> None:
    try:
        if path.read_bytes() == text:
            return
    except FileNotFoundError:
        pass
    beside = path.with_name(f"{path.name}.{os.getpid()}.new")
    with beside.open("wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.rename(path)


class Published:
    """The reader's side.

    Args:
        folder: of `folder_of`.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._books = folder / BOOKS
        self._stamp = self._books_stamp = (0, 0)
        self.months: list[Limits] = []

    def refresh(self) -> bool:
        """Read the file if it is another than before; whether it was.

        Raises:
            CorruptedError: it is not what the steward writes.
        """
        stamp = _stamp_of(self._path)
        if stamp in ((0, 0), self._stamp):
            return False
        try:
            data = msgspec.json.decode(self._path.read_bytes(), type=list[dict[str, Any]])
            self.months = [from_plain(one) for one in data]
        except (msgspec.MsgspecError, LookupError, TypeError) as error:
            raise _not_ours(self._path) from error
        self._stamp = stamp
        return True

    @property
    def nodes(self) -> int:
        """How many gateways share the budgets, as far as is known."""
        return max((one.nodes for one in self.months), default=1)

    def has_other_prices(self) -> bool:
        """Whether `prices` would say something else than when it was last asked."""
        return _stamp_of(self._books) != self._books_stamp

    def prices(self) -> PriceTable:
        """The prices of the policy files that the limits came of; the list prices without any.

        Raises:
            TallybookError: the file is not what the steward writes.
        """
        self._books_stamp = _stamp_of(self._books)
        try:
            bodies = msgspec.json.decode(self._books.read_bytes(), type=dict[str, str])
        except FileNotFoundError:
            return PriceTable(Prices())
        except msgspec.MsgspecError as error:
            raise _not_ours(self._books) from error
        found = parse({kind: document_of(kind, json.loads(body)) for kind, body in bodies.items()})
        return PriceTable(found.prices, found.org.company.currency)

    def at(self, instant_us: int) -> Limits | None:
        """The limits of the month of an instant; None if none are known."""
        for one in self.months:
            if one.from_us <= instant_us < one.to_us:
                return one
        return None


def _stamp_of(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except FileNotFoundError:
        return (0, 0)
    return (found.st_ino, found.st_mtime_ns)


def _not_ours(path: Path) -> CorruptedError:
    return CorruptedError(
        "not what a gateway publishes",
        where=path.name,
        next_step="remove it; the gateway writes it anew",
    )
