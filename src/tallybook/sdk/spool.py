"""The spool: events on the local disk, before anything else happens to them.

A process writes a segment of its own (``.open``), each event with one ``write``, and holds a lock
on it; a full or old segment is renamed (``.jsonl``) and can be shipped. A segment whose lock is
free belonged to a process that died, and whoever finds it may ship it. What ``append`` took
survives the death of the process at once, and a power cut after the segment was taken to be
shipped, about ``segment_s`` later: an ``fsync`` for each call would cost the caller milliseconds.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from time import monotonic
from typing import Final

from tallybook.clock import SystemClock
from tallybook.sdk.counters import Health

OPEN: Final = ".open"
SEALED: Final = ".jsonl"
_RECOUNT_S: Final = 1.0
_FOLDER_MODE: Final = 0o700
_FILE_MODE: Final = 0o600


class Spool:
    """One process's way to write into a spool folder.

    Args:
        folder: on a local disk; made when the first event comes.
        segment_bytes: a segment of this size is closed.
        segment_s: a segment of this age is closed.
        bound_bytes: of the whole folder. Beyond it the oldest stay, since they were promised, and
            new events are counted as lost.
        health: told of what is lost.
        watch_s: how often to look whether somebody cleared the folder; before every event if 0.
    """

    def __init__(
        self,
        folder: Path,
        *,
        segment_bytes: int,
        segment_s: float,
        bound_bytes: int,
        health: Health,
        watch_s: float = 0.0,
    ) -> None:
        self.folder = folder
        self._watch_s = watch_s
        self._segment_bytes = segment_bytes
        self._segment_s = segment_s
        self._bound_bytes = bound_bytes
        self._health = health
        self._lock = RLock()
        self._forget()

    def append(self, lines: bytes, *, events: int = 1) -> bool:
        """Write the events of one call, all or none; whether they are on the disk.

        Args:
            lines: JSON, one line for each event, without the last line break.
            events: how many they are.
        """
        try:
            with self._lock:
                self._write(lines + b"\n")
        except OSError as error:
            self._health.add("lost", events)
            self._health.failed("spool", error)
            return False
        return True

    def seal(self, *, older_s: float = 0.0) -> None:
        """Close the open segment, if it is at least this old, so that it can be shipped."""
        with self._lock:
            if self._file >= 0 and monotonic() - self._opened_s >= older_s:
                self._close()

    def sync(self) -> None:
        """Bring the open segment to the disk; blocks for as long as that takes, and no writer."""
        with self._lock:
            file = os.dup(self._file) if self._file >= 0 else -1
        if file >= 0:
            try:
                os.fdatasync(file)
            finally:
                os.close(file)

    def after_fork(self) -> None:
        """In a child process: leave the parent's segment to the parent."""
        self._lock = RLock()
        if self._file >= 0:
            os.close(self._file)
        self._forget()

    def _forget(self) -> None:
        self._file = -1
        self._path = self.folder
        self._size = 0
        self._opened_s = 0.0
        self._watched_s = 0.0
        self._others_bytes = 0
        self._counted_s = -_RECOUNT_S

    def _write(self, line: bytes) -> None:
        now_s = monotonic()
        if self._file >= 0 and (
            self._size + len(line) > self._segment_bytes
            or now_s - self._opened_s >= self._segment_s
            or (now_s - self._watched_s >= self._watch_s and self._is_gone(now_s))
        ):
            self._close()
        if self._file < 0:
            self._open()
        if self._others_bytes + self._size + len(line) > self._bound_bytes:
            self._check_bound(len(line))
        written = os.write(self._file, line)
        if written < len(line):  # a full disk takes a part; half an event is none
            os.ftruncate(self._file, self._size)
            raise OSError(28, os.strerror(28))
        self._size += written

    def _is_gone(self, now_s: float) -> bool:
        """Whether somebody cleared the open segment away."""
        self._watched_s = now_s
        return not is_at(self._path, self._file)

    def _check_bound(self, size: int) -> None:
        if monotonic() - self._counted_s >= _RECOUNT_S:
            self._recount()
        if self._others_bytes + self._size + size > self._bound_bytes:
            raise SpoolFullError(self._bound_bytes)

    def _recount(self) -> None:
        self._counted_s = monotonic()
        own = self._path.name
        self._others_bytes = sum(
            entry.stat().st_size for entry in os.scandir(self.folder) if entry.name != own
        )

    def _open(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=_FOLDER_MODE)
        while True:
            name = f"{SystemClock().now_us()}-{os.getpid()}-{secrets.token_hex(4)}"
            path = self.folder / (name + OPEN)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
            file = os.open(path, flags, _FILE_MODE)
            fcntl.flock(file, fcntl.LOCK_EX)
            if is_at(path, file):  # nobody took it for a dead one before it was locked
                break
            os.close(file)
        self._file, self._path, self._size, self._opened_s = file, path, 0, monotonic()
        self._watched_s = self._opened_s
        self._recount()

    def _close(self) -> None:
        file, self._file = self._file, -1
        try:
            if self._size and is_at(self._path, file):
                self._path.rename(self._path.with_suffix(SEALED))
            else:
                self._path.unlink(missing_ok=True)
        finally:
            os.close(file)


class SpoolFullError(OSError):
    """The folder holds as much as it may."""

    def __init__(self, bound_bytes: int) -> None:
        super().__init__(28, f"the spool holds its {bound_bytes} bytes; ship it or raise the bound")


def is_at(path: Path, file: int) -> bool:
    """Whether an open file is still the one at a path."""
    try:
        there, here = path.stat(), os.fstat(file)
    except OSError:
        return False
    return (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)


def waiting(folder: Path) -> list[Path]:
    """The segments that can be shipped, oldest first; those of dead processes are closed first."""
    if not folder.is_dir():
        return []
    for path in sorted(folder.glob(f"*{OPEN}")):
        with taken(path) as file:
            if file >= 0:
                path.rename(path.with_suffix(SEALED))
    return sorted(folder.glob(f"*{SEALED}"))


@contextmanager
def taken(path: Path) -> Iterator[int]:
    """Take a segment for oneself; -1 if another has it, or it is gone."""
    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        yield -1
        return
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            mine = is_at(path, file)
        except BlockingIOError:
            mine = False
        yield file if mine else -1
    finally:
        os.close(file)
