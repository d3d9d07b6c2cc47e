"""Work whose usage appears later: background responses and batches, by the ids of their results.

Whose they are is kept where they were begun, one file each in a folder that all processes share,
so that whoever fetches the result, and whenever, it is billed to the owner and once.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

from tallybook.gateway.sizing import Group
from tallybook.sdk.record import Attempt

_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(Attempt)
_SIZES: Final = msgspec.json.Decoder(dict[str, Group])
_FOLDER_MODE: Final = 0o700


class Pending:
    """The folder.

    Args:
        folder: made when something is first kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, upstream: str, name: str, attempt: Attempt) -> None:
        """Remember who began something.

        Args:
            upstream: where it runs.
            name: under which its result is asked for.
            attempt: that began it.
        """
        self._write(self._path(upstream, name), _ENCODER.encode(attempt))

    def keep_size(self, upstream: str, name: str, groups: Mapping[str, Group]) -> None:
        """Remember how large the requests of a file are that was sent to begin a batch with."""
        self._write(self._path(upstream, f"size {name}"), _ENCODER.encode(groups))

    def size_of(self, upstream: str, name: str) -> dict[str, Group]:
        """How large they are, by model; nothing if the file did not come this way."""
        try:
            return _SIZES.decode(self._path(upstream, f"size {name}").read_bytes())
        except (FileNotFoundError, msgspec.MsgspecError):
            return {}

    def _write(self, path: Path, content: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=_FOLDER_MODE)
        beside = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.rename(path)

    def find(self, upstream: str, name: str) -> Attempt | None:
        """Who began something, if anybody did through this gateway."""
        try:
            return _DECODER.decode(self._path(upstream, name).read_bytes())
        except (FileNotFoundError, msgspec.MsgspecError):
            return None

    def take(self, upstream: str, name: str) -> Attempt | None:
        """The same, for one asker only: of several that ask, one gets it."""
        path = self._path(upstream, name)
        mine = path.with_name(f"{path.name}.{secrets.token_hex(4)}.taken")
        try:
            path.rename(mine)
        except FileNotFoundError:
            return None
        try:
            return _DECODER.decode(mine.read_bytes())
        finally:
            mine.unlink(missing_ok=True)

    def _path(self, upstream: str, name: str) -> Path:
        return self._folder / sha256(f"{upstream}\n{name}".encode()).hexdigest()
