"""The reject file: every record that could not be read, with the reason, to be mended."""

from __future__ import annotations

import os
from os.path import lexists
from pathlib import Path
from typing import BinaryIO

import msgspec

from tallybook.errors import StoreError
from tallybook.store import storable

_ENCODER = msgspec.json.Encoder(decimal_format="number")


class RejectFile:
    """JSON lines ``{place, reason, record}`` in ``folder/name-n.jsonl``, made when first needed.

    Args:
        folder: where it lies; made if absent.
        name: the source's name.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name
        self._file: BinaryIO | None = None
        self.path: Path | None = None
        self.count = 0

    def add(self, place: str, reason: str, record: object) -> int:
        """Write one line; returns its length in bytes.

        Raises:
            StoreError: the disk refuses.
        """
        told = {"place": storable(place), "reason": reason, "record": record}
        line = _ENCODER.encode(told)
        try:
            if self._file is None:
                self._file = self._open()
            length = self._file.write(line + b"\n")
        except OSError as error:
            raise self._refused(error) from error
        self.count += 1
        return length

    def sync(self) -> None:
        """Make what was written safe against a power cut."""
        if self._file is None:
            return
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._refused(error) from error

    def close(self) -> None:
        """Release the file."""
        if self._file is not None:
            self._file.close()

    def _open(self) -> BinaryIO:
        self._folder.mkdir(parents=True, exist_ok=True)
        while True:
            path = self._named(self._free())
            try:
                file = path.open("xb")
            except FileExistsError:
                continue  # somebody else took it a moment ago
            self.path = path
            folder = os.open(self._folder, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
            return file

    def _free(self) -> int:
        """A number that no file has, in few looks: a sender that errs for days leaves thousands."""
        taken, free = 0, 1
        while lexists(self._named(free)):
            taken, free = free, 2 * free
        while free - taken > 1:
            middle = (taken + free) // 2
            if lexists(self._named(middle)):
                taken = middle
            else:
                free = middle
        return free

    def _named(self, number: int) -> Path:
        return self._folder / f"{self._name}-{number}.jsonl"

    def _refused(self, error: OSError) -> StoreError:
        return StoreError(
            f"could not write the reject file: {error.strerror or error}",
            where=str(self.path or self._folder),
            next_step="make room on the disk and run the same command again",
        )
