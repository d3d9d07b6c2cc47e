"""Writing files whole or not at all: under a temporary name first, renamed when all are there."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from tallybook.errors import HandoffError


def write_all(folder: Path, files: Mapping[str, bytes]) -> list[Path]:
    """Write files into a folder; when one cannot be written, none is there.

    Returns:
        their paths.
    """
    folder.mkdir(parents=True, exist_ok=True)
    waiting = [(_waiting(folder / name), folder / name, raw) for name, raw in files.items()]
    try:
        for waits, _, raw in waiting:
            with waits.open("wb") as file:
                file.write(raw)
                _flush(file)
        for waits, path, _ in waiting:
            waits.replace(path)
    finally:
        for waits, _, _ in waiting:
            with suppress(FileNotFoundError):
                waits.unlink()
    return [path for _, path, _ in waiting]


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file that takes its name when the block ends well, and leaves nothing when it does not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    waits = _waiting(path)
    try:
        with waits.open("wb") as file:
            yield file
            _flush(file)
        waits.replace(path)
    finally:
        with suppress(FileNotFoundError):
            waits.unlink()


def _waiting(path: Path) -> Path:
    if path.is_dir():
        raise HandoffError(
            f"{path} is a folder, and a file is to be written",
            next_step=f"name the file in it, such as {path / 'export.csv'}",
        )
    return path.with_name(f".{path.name}.part")


def _flush(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
