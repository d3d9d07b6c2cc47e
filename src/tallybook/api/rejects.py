"""What a server could not read, kept for people up to a bound: a sender that errs fills no disk."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tallybook.errors import EventError
from tallybook.meter.rejects import RejectFile
from tallybook.meter.sources.source import Reading

_LOG: Final = logging.getLogger(__name__)
KEPT_BYTES: Final = 64 * 2**20


class Rejects:
    """The reject files of one route, for one thread at a time.

    Args:
        folder: where they lie; whoever mends and deletes them makes room.
        name: of the source.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name
        self._file = RejectFile(folder, name)

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
        if not refused:
            return 0
        if self._file.path and not self._file.path.exists():
            self.close()
            self._file = RejectFile(self._folder, self._name)
        room = KEPT_BYTES - self._held_bytes()
        dropped = 0
        for one in refused:
            assert isinstance(one.event, EventError)
            if room <= 0:
                dropped += 1
                continue
            room -= self._file.add(one.place, one.event.what, one.record)
        self._file.sync()
        if dropped:
            _LOG.warning(
                "%d records that cannot be read were not kept: %s-*.jsonl in %s hold %d MiB;"
                " mend what is in them and delete them",
                dropped,
                self._name,
                self._folder,
                KEPT_BYTES // 2**20,
            )
        return dropped

    def close(self) -> None:
        """Release the file."""
        self._file.close()

    def _held_bytes(self) -> int:
        return sum(path.stat().st_size for path in self._folder.glob(f"{self._name}-*.jsonl"))
