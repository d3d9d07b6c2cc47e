"""An answer on its way: read by `meter/usage` as it passes, and rid of what only we asked for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from tallybook.meter.usage.model import UsageReading, Wire
from tallybook.meter.usage.plain import Reader
from tallybook.meter.usage.stream import UsageStream
from tallybook.sdk.asked import Asked
from tallybook.sdk.counters import Health
from tallybook.sdk.passing import READABLE, Unpacking, WithoutUsageChunk

WIRES: Final[Mapping[str, Wire]] = {
    "text/event-stream": "sse",
    "application/x-ndjson": "ndjson",
    "application/stream+json": "ndjson",
    "application/jsonl": "ndjson",
    "application/vnd.amazon.eventstream": "aws-eventstream",
}
_READ_MAX: Final = 64 * 1024 * 1024
_AT_ONCE: Final = 16 * 1024
_SILENT: Final = ("audio/", "image/", "video/")
_NULL_USAGE: Final = (b',"usage":null', b', "usage": null', b',"usage": null')
"""What a chunk holds because we asked for usage; inside text its quotes would be escaped."""


@lru_cache(maxsize=256)
def wire_of(content_type: str) -> Wire:
    """How the bytes of an answer are framed, by its type."""
    return WIRES.get(content_type.partition(";")[0].strip().lower(), "json")


class Reading:
    """One answer, read while it passes. A fault of ours ends the reading and nothing else.

    Args:
        asked: what was asked for.
        headers: of the answer, names in lower case.
        strip: take out of a chat stream what is there because we asked for usage.
        health: told of faults of ours.
        reader: of plain answers, tried before the whole one.
    """

    __slots__ = (
        "_asked",
        "_gathers",
        "_health",
        "_readable",
        "_reader",
        "_size",
        "_stream",
        "_unpacking",
        "_waiting",
        "_waiting_size",
        "_without",
        "headers",
        "wire",
    )

    def __init__(
        self,
        asked: Asked,
        headers: Mapping[str, str],
        *,
        strip: bool,
        health: Health,
        reader: Reader | None = None,
    ) -> None:
        self._asked = asked
        self.headers = headers
        self._health = health
        self._reader = reader
        kind = headers.get("content-type", "")
        encoding = headers.get("content-encoding", "")
        if encoding:
            encoding = encoding.strip().lower()
        self.wire = wire_of(kind)
        self._stream: UsageStream | None = None
        self._unpacking = Unpacking(encoding) if encoding else None
        self._readable = encoding in READABLE and not kind.lower().startswith(_SILENT)
        strips = strip and self.wire == "sse" and encoding in ("", "identity")
        self._without = WithoutUsageChunk() if strips else None
        plainly = encoding in ("", "identity") and self.wire != "json" and not strips
        self._gathers = plainly and self._readable
        self._size = 0
        self._waiting: list[bytes] = []
        self._waiting_size = 0

    @property
    def edits(self) -> bool:
        """Whether the client gets other bytes than those that come."""
        return self._without is not None

    @property
    def ended(self) -> bool:
        """Whether the event came after which no figure changes."""
        if self.wire == "json" or not self._readable:
            return False
        return self._read().ended

    def _read(self) -> UsageStream:
        """Read what has passed: many pieces at once cost less than each by itself."""
        stream = self._stream
        if stream is None:
            asked = self._asked
            stream = self._stream = UsageStream(
                provider=asked.provider,
                endpoint=asked.endpoint,
                wire=self.wire,
                headers=self.headers,
                model=asked.model,
            )
        waiting, self._waiting, self._waiting_size = self._waiting, [], 0
        if waiting:
            stream.feed(b"".join(waiting))
        return stream

    @property
    def at_boundary(self) -> bool:
        """Whether no event of the stream has begun that has not ended, as far as we hold any."""
        return self._without is None or not self._without.held

    def feed(self, data: bytes) -> bytes:
        """Read the next content; what goes on of it."""
        if self._gathers:
            self._waiting.append(data)
            self._waiting_size += len(data)
            if self._waiting_size > _AT_ONCE:
                self._gathered()
            return data
        if self._readable:
            try:
                plain = self._unpacking.feed(data) if self._unpacking else data
                self._size += len(plain)
                self._waiting.append(plain)
                self._waiting_size += len(plain)
                if self._waiting_size > _AT_ONCE:
                    if self.wire != "json":
                        self._read()
                    elif self._size > _READ_MAX:
                        self._readable, self._waiting = False, []
            except Exception as error:  # noqa: BLE001 - the bytes go on whatever we make of them
                self._readable = False
                self._health.failed("reader", error)
        without = self._without
        if without is None:
            return data
        try:
            return _without_null(without.feed(data))
        except Exception as error:  # noqa: BLE001 - as above
            self._without = None
            self._health.failed("reader", error)
            return without.held + data

    def _gathered(self) -> None:
        try:
            self._read()
        except Exception as error:  # noqa: BLE001 - the bytes go on whatever we make of them
            self._gathers = self._readable = False
            self._health.failed("reader", error)

    def rest(self) -> bytes:
        """What was held back of a stream that has ended."""
        return _without_null(self._without.rest()) if self._without else b""

    def finish(self) -> UsageReading | None:
        """What the answer says; None if it cannot be read."""
        if not self._readable:
            return None
        try:
            if self._reader is not None and self.wire == "json":
                if len(self._waiting) != 1:
                    self._waiting = [b"".join(self._waiting)]
                found = self._reader(self._waiting[0], self.headers)
                if found is not None:
                    return found
            return self._read().finish()
        except Exception as error:  # noqa: BLE001 - what cannot be read is unknown, and no fault of a call
            self._health.failed("reader", error)
            return None


def _without_null(data: bytes) -> bytes:
    for text in _NULL_USAGE:
        if text in data:
            data = data.replace(text, b"")
    return data
