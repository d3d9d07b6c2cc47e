"""The reject file: every record that could not be read, with the reason, to be mended.

A command keeps all of them. What runs for months keeps them up to a bound: a sender that errs fills
no disk.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from os.path import lexists
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from tallybook.errors import EventError, StoreError
from tallybook.meter.sources.source import Reading
from tallybook.store import storable

_LOG: Final = logging.getLogger(__name__)
KEPT_BYTES: Final = 64 * 2**20
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
        self.dropped = 0  # it takes all

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


class Rejects:
    """The reject files of one source, up to a bound, for one thread at a time.

    Args:
        folder: where they lie; whoever mends and deletes them makes room.
        name: of the source.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name
        self._file = RejectFile(folder, name)
        self._room: int | None = None
        self._told = 0
        self.count = 0
        self.dropped = 0

    @property
    def path(self) -> Path | None:
        """The file that is written to; None before the first record."""
        return self._file.path

    def keep(self, refused: Iterable[Reading]) -> int:
        """Write down what was refused; it is on the disk afterwards.

        Returns:
            how many found no room; the log says so too.

        Raises:
            StoreError: the disk refuses.
        """
        before = self.dropped
        for one in refused:
            assert isinstance(one.event, EventError)
            self.add(one.place, one.event.what, one.record)
        self.sync()
        return self.dropped - before

    def add(self, place: str, reason: str, record: object) -> None:
        """Write one line, or count it as dropped if there is no room.

        Raises:
            StoreError: the disk refuses.
        """
        if self._room is None:
            self._room = self._look()
        if self._room <= 0:
            self.dropped += 1
        else:
            self._room -= self._file.add(place, reason, record)
        self.count += 1

    def sync(self) -> None:
        """Make what was written safe against a power cut, and tell what was dropped.

        Raises:
            StoreError: the disk refuses.
        """
        if self._room is None:
            return
        self._room = None  # somebody may make room until the next one
        self._file.sync()
        dropped, self._told = self.dropped - self._told, self.dropped
        if dropped:
            _LOG.warning(
                "%d records that cannot be read were not kept: %s-*.jsonl in %s hold %d MiB;"
                " mend what is in them and delete them",
                dropped,
                self._name,
                self._folder,
                KEPT_BYTES // 2**20,
            )

    def close(self) -> None:
        """Release the file."""
        self._file.close()

    def _look(self) -> int:
        """How many bytes there is room for; a file that somebody deleted is written no more."""
        if self._file.path and not self._file.path.exists():
            self.close()
            self._file = RejectFile(self._folder, self._name)
        held = self._folder.glob(f"{self._name}-*.jsonl")
        return KEPT_BYTES - sum(path.stat().st_size for path in held)
