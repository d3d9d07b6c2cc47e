"""Where a body ends: counted exactly, so that no byte of another message passes.

httptools finds ends too, but does not tell at which byte; whoever relays bytes as they came must
know.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from tallybook.gateway.heads import CHUNKED, UNTIL_CLOSE, ReplyHead, RequestHead

_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[\t -~\x80-\xff]*)?")
_LINE_MAX: Final = 1024
_SIZE_MAX: Final = 20
_TRAILERS_MAX: Final = 8192
_SIZE_LINE, _CONTENT, _CONTENT_END, _TRAILER, _ENDED = range(5)


class FramingError(ValueError):
    """Chunks that cannot be told apart; nothing after that place can be trusted."""


class Body:
    """The body of one message as it comes.

    Args:
        length: `CHUNKED`, `UNTIL_CLOSE` or a number of bytes.
    """

    __slots__ = ("_left", "_line", "_state", "_trailers", "ended", "length", "size")

    def __init__(self, length: int) -> None:
        self.length = length
        self.ended = length == 0
        self.size = 0
        self._left = length
        self._line = b""
        self._state = _SIZE_LINE if length == CHUNKED else _CONTENT
        self._trailers = 0

    def feed(self, data: bytes) -> tuple[bytes, int]:
        """Take the next bytes.

        Returns:
            the content in them, and how many of them belong to this message.

        Raises:
            FramingError: they are no chunks.
        """
        if self.ended:
            return b"", 0
        if self.length == CHUNKED:
            content = self.whole_chunk(data)
            if content:
                return content, len(data)
            pieces: list[bytes] = []
            at = self._chunks(data, pieces)
            content = pieces[0] if len(pieces) == 1 else b"".join(pieces)
            self.size += len(content)
            return content, at
        if self.length == UNTIL_CLOSE:
            self.size += len(data)
            return data, len(data)
        taken = min(self._left, len(data))
        self._left -= taken
        self.size += taken
        self.ended = not self._left
        return (data if taken == len(data) else data[:taken]), taken

    def closed(self) -> bool:
        """The connection has ended; whether the body is whole."""
        if self.length == UNTIL_CLOSE:
            self.ended = True
        return self.ended

    def whole_chunk(self, data: bytes) -> bytes:
        """The content of bytes that are exactly one chunk, as most pieces of a stream are.

        Nothing is taken, and b"" returned, if they are not, or if they are the last chunk.
        """
        if self._state or self._line:  # not at the beginning of a chunk
            return b""
        cut = data.find(b"\r\n", 0, _SIZE_MAX)
        size = _size_of(data[:cut]) if cut > 0 else 0
        if not size or cut + 4 + size != len(data) or not data.endswith(b"\r\n"):
            return b""
        self.size += size
        return data[cut + 2 : -2]

    def _chunks(self, data: bytes, pieces: list[bytes]) -> int:
        at, end = 0, len(data)
        while at < end:
            if self._state == _SIZE_LINE and not self._line:
                at = _whole_chunks(data, at, pieces)
                if at == end:
                    return at
            if self._state == _CONTENT:
                stop = min(at + self._left, end)
                pieces.append(data[at:stop])
                self._left -= stop - at
                at = stop
                if not self._left:
                    self._state = _CONTENT_END
                continue
            cut = data.find(b"\n", at)
            line = self._line + data[at : cut if cut >= 0 else end]
            if len(line) > _LINE_MAX:
                raise FramingError("a line of a chunk does not end")
            if cut < 0:
                self._line = line
                return end
            at = cut + 1
            self._line = b""
            if not line.endswith(b"\r"):
                raise FramingError("a line of a chunk ends without CR")
            self._take_line(line[:-1])
            if self.ended:
                return at
        return at

    def _take_line(self, line: bytes) -> None:
        if self._state == _CONTENT_END:
            if line:
                raise FramingError("a chunk is longer than it says")
            self._state = _SIZE_LINE
        elif self._state == _SIZE_LINE:
            found = _SIZE.fullmatch(line)
            if found is None:
                raise FramingError("a chunk has no size")
            self._left = int(found[1], 16)
            self._state = _CONTENT if self._left else _TRAILER
        elif line:
            self._trailers += len(line)
            if self._trailers > _TRAILERS_MAX or b"\r" in line:
                raise FramingError("trailers do not end")
        else:
            self._state = _ENDED
            self.ended = True


def _whole_chunks(data: bytes, at: int, pieces: list[bytes]) -> int:
    """Take chunks that are there whole, but for the last; where they end."""
    while True:
        cut = data.find(b"\r\n", at, at + _SIZE_MAX)
        size = _size_of(data[at:cut]) if cut > at else 0
        stop = cut + 2 + size
        if not size or data[stop : stop + 2] != b"\r\n":
            return at
        pieces.append(data[cut + 2 : stop])
        at = stop + 2


@lru_cache(maxsize=4096)
def _size_of(line: bytes) -> int:
    """The size that a line tells; 0 of the last chunk, and of a line that tells none."""
    found = _SIZE.fullmatch(line)
    return int(found[1], 16) if found else 0


def chunk(data: bytes) -> bytes:
    """Content as one chunk; nothing for nothing, because an empty chunk is the last."""
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


LAST_CHUNK: Final = b"0\r\n\r\n"
TRAILER_TOLD: Final = b"Trailer: x-tallybook-cost\r\n"


def takes_trailer(head: RequestHead, reply: ReplyHead) -> bool:
    """Whether a caller asked for trailers, and its answer has a place for one."""
    asked = head.named.get(b"te", b"").lower()
    return reply.length == CHUNKED and head.minor > 0 and b"trailers" in asked


def with_cost(end: bytes, cost: str) -> bytes:
    """The end of an answer in chunks, with what it cost behind it; '' leaves it as it came."""
    if not (cost and end.endswith(LAST_CHUNK)):
        return end
    return b"%bx-tallybook-cost: %b\r\n\r\n" % (end[:-2], cost.encode())
