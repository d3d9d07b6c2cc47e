"""Bytes on their way: unpacked for reading, and rid of the chunk that only we asked for."""

from __future__ import annotations

import re
import zlib
from typing import Any, Final

import msgspec

_BOUNDARY: Final = re.compile(rb"\r?\n\r?\n|\r\r")
_EVENT_END: Final = b"\n\n"
_ANY_HEADER: Final = 47  # zlib finds out by itself whether it is gzip or zlib
READABLE: Final = frozenset({"", "identity", "gzip", "x-gzip", "deflate"})
"""The content encodings that can be read as they pass."""


def encodings_readable(accepted: str) -> str:
    """An Accept-Encoding header without what could not be read on the way."""
    kept = [each.strip() for each in accepted.split(",")]
    kept = [each for each in kept if each.partition(";")[0].strip() in READABLE and each]
    return ", ".join(kept) or "identity"


class Unpacking:
    """The content of a body that arrives in pieces.

    Args:
        encoding: its Content-Encoding, one of `READABLE`.
    """

    def __init__(self, encoding: str) -> None:
        self._plain = encoding in ("", "identity")
        self._inflate = zlib.decompressobj(_ANY_HEADER)
        self._begun = False

    def feed(self, data: bytes) -> bytes:
        """What the next piece holds.

        Raises:
            zlib.error: it is not what the header says.
        """
        if self._plain:
            return data
        try:
            return self._inflate.decompress(data)
        except zlib.error:
            if self._begun:
                raise
            self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)  # deflate without its header
            return self._inflate.decompress(data)
        finally:
            self._begun = True


class WithoutUsageChunk:
    """Takes out of a chat stream the last chunk, which is there because we asked for usage.

    Every other event goes on byte for byte; an event that is cut between two pieces waits for its
    end.
    """

    def __init__(self) -> None:
        self.held = b""

    def feed(self, data: bytes) -> bytes:
        """What may go on of the bytes so far."""
        if not self.held and data.endswith(_EVENT_END) and not _tells_usage(data):
            return data
        text = self.held + data
        kept, at = [], 0
        for boundary in _BOUNDARY.finditer(text):
            event = text[at : boundary.end()]
            at = boundary.end()
            if not _is_usage_chunk(event):
                kept.append(event)
        self.held = text[at:]
        return b"".join(kept)

    def rest(self) -> bytes:
        """What no boundary ended."""
        held, self.held = self.held, b""
        return b"" if _is_usage_chunk(held) else held


def _tells_usage(data: bytes) -> bool:
    """Whether any usage in these bytes may be more than null."""
    return data.count(b'"usage"') != data.count(b'"usage":null')


def _is_usage_chunk(event: bytes) -> bool:
    if b'"usage"' not in event:
        return False
    _, found, data = event.partition(b"data:")
    try:
        chunk: Any = msgspec.json.decode(data.strip()) if found else None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return (
        isinstance(chunk, dict)
        and chunk.get("choices") == []
        and isinstance(chunk.get("usage"), dict)
    )
