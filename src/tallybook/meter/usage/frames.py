"""Frames of ``application/vnd.amazon.eventstream``: lengths and check sums verified.

A frame is: total length, length of headers, check sum of these two (4 bytes each, big-endian);
headers; payload; check sum of all before. A library would do it too, but the light ones are part of
whole cloud clients.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from tallybook.errors import EventError

_PRELUDE: Final = struct.Struct(">III")
_SUM_BYTES: Final = 4
_FRAME_MIN: Final = _PRELUDE.size + _SUM_BYTES
_FRAME_MAX: Final = 24 * 1024 * 1024  # the service sends less; a length above is damage
_TEXT, _BYTES = 7, 6
_FIXED: Final = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}


class Frame(NamedTuple):
    """One frame; of its headers, those that are text."""

    headers: Mapping[str, str]
    payload: bytes


class Frames:
    """Bytes in any pieces to frames."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._position = 0

    @property
    def is_between(self) -> bool:
        """Whether no frame is begun."""
        return not self._held

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that these bytes complete.

        Raises:
            EventError: the bytes are damaged; nothing after that place can be read.
        """
        self._held += data
        while len(self._held) >= _PRELUDE.size:
            length, headers_length, told = _PRELUDE.unpack_from(self._held)
            prelude = bytes(self._held[: _PRELUDE.size - _SUM_BYTES])
            if zlib.crc32(prelude) != told:
                raise self._damage("the check sum of its lengths does not fit")
            if not _FRAME_MIN + headers_length <= length <= _FRAME_MAX:
                raise self._damage(f"its length is {length}, of its headers {headers_length}")
            if len(self._held) < length:
                return
            whole = bytes(self._held[:length])
            if zlib.crc32(whole[:-_SUM_BYTES]) != int.from_bytes(whole[-_SUM_BYTES:], "big"):
                raise self._damage("its check sum does not fit")
            end = _PRELUDE.size + headers_length
            try:
                headers = _headers(whole[_PRELUDE.size : end])
            except (IndexError, KeyError, UnicodeDecodeError) as error:
                raise self._damage("its headers cannot be read") from error
            del self._held[:length]
            self._position += length
            yield Frame(headers, whole[end:-_SUM_BYTES])

    def _damage(self, why: str) -> EventError:
        return EventError(
            f"the frame at byte {self._position} is damaged: {why}",
            next_step="what came before it is read; ask for the response again if you can",
        )


def _headers(data: bytes) -> dict[str, str]:
    """Name and value of each header; only text is kept."""
    found: dict[str, str] = {}
    at = 0
    while at < len(data):
        name_end = at + 1 + data[at]
        name = data[at + 1 : name_end].decode()
        kind = data[name_end]
        at = name_end + 1
        if kind in {_TEXT, _BYTES}:
            length = int.from_bytes(data[at : at + 2], "big")
            at += 2
            if kind == _TEXT:
                found[name] = data[at : at + length].decode()
            at += length
        else:
            at += _FIXED[kind]
    return found
