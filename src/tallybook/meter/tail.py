"""A file that grows: its new lines, through rotation and truncation, and how far they were read.

A line is read once its newline is there. A file that was renamed is read to its end before the one
that took its name, and so is each that was renamed in between; a file that was emptied or written
anew is read from its beginning. A position names the file by device, inode and first bytes, so that
it outlives the process: if the file was renamed meanwhile, it is looked for beside its old name,
under the names that log rotation gives.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

Line = tuple[str, bytes]
"""Where a line stands, and the line."""

_CHUNK_BYTES: Final = 8 * 1024 * 1024
_HEAD_BYTES: Final = 256
_ROTATION: Final = r"[._-][0-9][0-9T:._-]*"  # .1, -20261122, .2026-11-22
_QUIET_POLLS: Final = 2  # a writer may hold a renamed file for a moment longer


class Position(msgspec.Struct, frozen=True):
    """How far a file was read: ``offset`` bytes and ``lines`` lines of that very file."""

    device: int
    inode: int
    offset: int
    lines: int
    head: str


class Tail:
    """The new lines of one path.

    Args:
        path: the file, which need not be there yet.
        position: where an earlier tail stopped.
        say: told in words what a person should know, such as a rotation.
    """

    def __init__(self, path: Path, position: Position | None, say: Callable[[str], None]) -> None:
        self.path = path
        self._say = say
        self._resume = position
        self._file: BinaryIO | None = None
        self._offset = self._lines = self._quiet = 0
        self._head = b""
        self._done: set[tuple[int, int]] = set()
        self._done_ns = 0

    def poll(self) -> list[Line]:
        """What has been written since, as far as it ends with a newline; at most some megabytes."""
        if self._file is None and not self._open():
            return []
        assert self._file is not None
        if self._is_new_content():
            self._say(f"{self.path} was emptied or written anew; it is read from its beginning")
            self._offset = self._lines = 0
            self._head = b""
        found = self._complete_lines()
        if found:
            self._quiet = 0
            return found
        return self._rotated() if self._was_renamed() else []

    @property
    def position(self) -> Position | None:
        """How far the lines that were handed out reach; None before the file was there."""
        if self._file is None:
            return self._resume
        status = os.fstat(self._file.fileno())
        return Position(
            status.st_dev, status.st_ino, self._offset, self._lines, _digest(self._head)
        )

    @property
    def is_behind(self) -> bool:
        """Whether more waits than one poll takes."""
        if self._file is None:
            return False
        return os.fstat(self._file.fileno()).st_size - self._offset >= _CHUNK_BYTES

    def close(self) -> None:
        """Release the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self) -> bool:
        resume, self._resume = self._resume, None
        if resume:
            old = self._found_again(resume)
            if old is not None:
                return self._begin(old, resume)
            if resume.offset and self.path.exists():
                self._say(
                    f"{self.path} is not the file that was followed before, and that is gone;"
                    " if it was rotated, ingest the rotated file once: what is in stays in once"
                )
        try:
            return self._begin(self._next_renamed() or self.path.open("rb"), None)
        except FileNotFoundError:
            self._resume = resume
            return False

    def _begin(self, file: BinaryIO, at: Position | None) -> bool:
        self._file, self._quiet = file, 0
        self._offset, self._lines = (at.offset, at.lines) if at else (0, 0)
        self._head = self._first_bytes()
        return True

    def _found_again(self, resume: Position) -> BinaryIO | None:
        """The file of a position: under its name, or beside it under another."""
        for path in (self.path, *self._renamed()):
            try:
                file = path.open("rb")
            except OSError:
                continue
            status = os.fstat(file.fileno())
            head = os.pread(file.fileno(), min(resume.offset, _HEAD_BYTES), 0)
            same = _identity(status) == (resume.device, resume.inode)
            if same and status.st_size >= resume.offset and _digest(head) == resume.head:
                return file
            file.close()
        return None

    def _next_renamed(self) -> BinaryIO | None:
        """The oldest file that was renamed after the one that was read last, and not read yet."""
        if not self._done:
            return None
        for path in self._renamed():
            try:
                file = path.open("rb")
            except OSError:
                continue
            status = os.fstat(file.fileno())
            if status.st_mtime_ns >= self._done_ns and _identity(status) not in self._done:
                return file
            file.close()
        return None

    def _renamed(self) -> list[Path]:
        """The files beside that bear a name of rotation, the oldest first."""
        name, stem, suffix = map(re.escape, (self.path.name, self.path.stem, self.path.suffix))
        form = re.compile(rf"{name}{_ROTATION}|{stem}{_ROTATION}{suffix}")
        folder = self.path.parent
        beside = folder.iterdir() if folder.is_dir() else ()
        aged = []
        for path in beside:
            if form.fullmatch(path.name):
                with suppress(OSError):  # rotation goes on while we look
                    aged.append((path.stat().st_mtime_ns, path))
        return [path for _, path in sorted(aged)]

    def _first_bytes(self) -> bytes:
        assert self._file is not None
        return os.pread(self._file.fileno(), min(self._offset, _HEAD_BYTES), 0)

    def _is_new_content(self) -> bool:
        assert self._file is not None
        short = os.fstat(self._file.fileno()).st_size < self._offset
        return short or self._first_bytes()[: len(self._head)] != self._head

    def _complete_lines(self) -> list[Line]:
        assert self._file is not None
        size = _CHUNK_BYTES
        while True:
            self._file.seek(self._offset)
            told = self._file.read(size)
            end = told.rfind(b"\n") + 1
            if end or len(told) < size:
                return self._taken(told[:end])
            size *= 2  # a line longer than that

    def _taken(self, told: bytes) -> list[Line]:
        if not told:
            return []
        name, first = self.path.name, self._lines + 1
        lines = told.split(b"\n")
        if lines[-1] == b"":
            del lines[-1]
        self._offset += len(told)
        self._lines += len(lines)
        self._head = self._first_bytes()
        return [(f"{name}:{n}", line) for n, line in enumerate(lines, first) if line.strip()]

    def _was_renamed(self) -> bool:
        assert self._file is not None
        try:
            there = self.path.stat()
        except FileNotFoundError:
            return False  # a new one will come; until then the writer may go on in this one
        return _identity(there) != _identity(os.fstat(self._file.fileno()))

    def _rotated(self) -> list[Line]:
        """The rest of a renamed file, once its writer has let go of it; then the new one."""
        assert self._file is not None
        self._quiet += 1
        if self._quiet < _QUIET_POLLS:
            return []
        self._file.seek(self._offset)
        rest = self._taken(self._file.read())  # a last line without newline: nobody will end it
        self._say(f"{self.path} was rotated; going on with the new file")
        status = os.fstat(self._file.fileno())
        self._done.add(_identity(status))
        self._done_ns = status.st_mtime_ns
        self.close()
        return rest


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _digest(head: bytes) -> str:
    return blake2b(head, digest_size=16).hexdigest()
