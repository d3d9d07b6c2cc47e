"""Lines of a text stream in any pieces, and the events that server-sent lines make."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

BOM: Final = b"\xef\xbb\xbf"


class Lines:
    """Bytes in any pieces to lines, without their ends."""

    def __init__(self) -> None:
        self._held = b""
        self._is_first = True

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The lines that these bytes complete."""
        whole = self._held + data if self._held else data
        lines = whole.split(b"\n")
        self._held = lines.pop()
        for line in lines:
            yield self._plain(line)

    def rest(self) -> bytes:
        """The last line, whose end did not come."""
        held, self._held = self._held, b""
        return self._plain(held)

    def _plain(self, line: bytes) -> bytes:
        if self._is_first:
            self._is_first = False
            line = line.removeprefix(BOM)
        return line.removesuffix(b"\r")


class ServerEvents:
    """Lines of ``text/event-stream`` to the data of events; names and ids are in the data too."""

    def __init__(self) -> None:
        self._data: list[bytes] = []
        self.is_stream = False

    def line(self, line: bytes) -> list[bytes]:
        """The data of the event that this line ends; most end none."""
        if not line:
            return self.rest()
        if line.startswith(b"data:"):
            self.is_stream = True
            self._data.append(line[5:].lstrip())
        elif line.startswith((b"event:", b":", b"id:", b"retry:")):
            self.is_stream = True
        return []

    def rest(self) -> list[bytes]:
        """The data of the last event, which no blank line ended."""
        data, self._data = self._data, []
        return [b"\n".join(data)] if data else []
