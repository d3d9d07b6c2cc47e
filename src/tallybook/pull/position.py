"""How far a stream has been pulled: one small file for each, written whole or not at all."""

from __future__ import annotations

import os
import re
from hashlib import sha256
from pathlib import Path

import msgspec

from tallybook.errors import PullError
from tallybook.pull.model import Ask, Window

_PLAIN = re.compile(r"[^a-z0-9-]+")


class Position(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a stream stands.

    ``until_us`` is the end of what is in; 0 before the first window is. ``window`` is being pulled
    (from, to), ``at_us`` is where the part of it starts whose page ``cursor`` is the next one.
    ``asked`` is the digest of the questions, since a cursor belongs to one question.
    """

    until_us: int = 0
    window: tuple[int, int] | None = None
    at_us: int = 0
    cursor: str = ""
    asked: str = ""


def asked_of(base_url: str, ask: Ask) -> str:
    """What a cursor belongs to: the address and every parameter of the first page."""
    return sha256(msgspec.json.encode([base_url, ask.path, ask.params])).hexdigest()[:32]


def path_of(folder: Path, product: str, stream: str) -> Path:
    """The file of a stream's position."""
    return folder / f"{product}.{_PLAIN.sub('-', stream.lower())}.json"


def load(path: Path) -> Position:
    """The position of a stream; the beginning if there is none.

    Raises:
        PullError: the file is not what was written.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Position)
    except FileNotFoundError:
        return Position()
    except (OSError, msgspec.MsgspecError) as error:
        raise PullError(
            f"the position cannot be read: {error}",
            where=str(path),
            next_step="delete the file and pull again with --from; nothing counts twice",
        ) from error


def save(path: Path, position: Position) -> None:
    """Write a position so that a crash leaves the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    with draft.open("wb") as file:
        file.write(msgspec.json.encode(position))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def window_of(position: Position) -> Window | None:
    """The window that is being pulled."""
    return Window(*position.window) if position.window else None


def reached_us(position: Position) -> int:
    """The end of what is in without a gap; 0 before anything is."""
    until_us, window = position.until_us, position.window
    if window and (not until_us or window[0] <= until_us):
        return max(until_us, position.at_us)
    return until_us
