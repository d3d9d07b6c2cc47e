"""The limits in force, in a file that the steward writes and every process of the node reads.

The file stays when the books or the store are gone: the last limits hold.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

import msgspec

from tallybook.budget.limits import Limits, as_plain, from_plain
from tallybook.errors import CorruptedError

NAME: Final = "limits.json"
_MODE: Final = 0o700


def folder_of(spool: Path) -> Path:
    """Where a node keeps what it knows of budgets, beside its spool."""
    return spool.with_name(spool.name + ".budgets")


def publish(folder: Path, months: list[Limits]) -> bool:
    """Write the limits of some months; whether they are others than before."""
    folder.mkdir(parents=True, exist_ok=True, mode=_MODE)
    path, text = folder / NAME, msgspec.json.encode([as_plain(one) for one in months])
    try:
        if path.read_bytes() == text:
            return False
    except FileNotFoundError:
        pass
    beside = folder / f"{NAME}.{os.getpid()}.new"
    with beside.open("wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.rename(path)
    return True


class Published:
    """The reader's side.

    Args:
        folder: of `folder_of`.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._stamp: tuple[int, int] = (0, 0)
        self.months: list[Limits] = []

    def refresh(self) -> bool:
        """Read the file if it is another than before; whether it was.

        Raises:
            CorruptedError: it is not what the steward writes.
        """
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return False
        stamp = (found.st_ino, found.st_mtime_ns)
        if stamp == self._stamp:
            return False
        try:
            data = msgspec.json.decode(self._path.read_bytes(), type=list[dict[str, Any]])
            self.months = [from_plain(one) for one in data]
        except (msgspec.MsgspecError, LookupError, TypeError) as error:
            raise CorruptedError(
                "not the limits that a gateway publishes",
                where=self._path.name,
                next_step="remove it; the gateway writes it anew",
            ) from error
        self._stamp = stamp
        return True

    @property
    def nodes(self) -> int:
        """How many gateways share the budgets, as far as is known."""
        return max((one.nodes for one in self.months), default=1)

    def at(self, instant_us: int) -> Limits | None:
        """The limits of the month of an instant; None if none are known."""
        for one in self.months:
            if one.from_us <= instant_us < one.to_us:
                return one
        return None
