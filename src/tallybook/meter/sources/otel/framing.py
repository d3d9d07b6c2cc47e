"""How a file of OTLP in protobuf is framed, found out from its first bytes.

A request begins with the tag of its first resource spans, ``0x0A``. In front of each request
stands nothing, a length of four bytes, as the collector's file exporter writes it, or a length as a
varint, as protobuf's own libraries do.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Final

from tallybook.errors import EventError

TAG: Final = 0x0A
MESSAGE_MAX: Final = 256 * 1024 * 1024
_PEEK: Final = 16
_FIXED: Final = 4
_VARINT_MAX: Final = 10
_MORE, _SEVEN, _BITS = 0x80, 7, 0x7F
_GROUP_TAGS: Final = frozenset({0x0A, 0x12, 0x1A, 0xC2})
"""Resource, scope spans, schema address, and the field that scope spans were before."""


def is_protobuf(first: bytes) -> bool:
    """Whether a file that begins so is protobuf and not JSON."""
    is_text = first.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[", b'"'))
    if is_text and (first[0] != TAG or b'"resource' in first):
        return False
    return bool(first) and (not is_text or _is_plain(first))


def frames(file: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """The messages of a file, and whether each is a whole request or only its resource spans.

    Raises:
        EventError: the file ends inside a message, or a length is none; what was before is out.
    """
    first = file.read(_PEEK)
    rest = _Bytes(first, file)
    if _is_plain(first):
        while (tag := rest.take(1)) is not None:
            if tag[0] != TAG:
                raise EventError(
                    f"byte {rest.at - 1} is {tag[0]:#04x}; resource spans begin with 0x0a there"
                )
            yield rest.exactly(rest.varint()), False
    elif first[:1] == b"\0" or (len(first) > _FIXED and first[_FIXED] == TAG):
        while (size := rest.take(_FIXED)) is not None:
            yield rest.exactly(int.from_bytes(size, "big")), True
    else:
        while rest.more():
            yield rest.exactly(rest.varint()), True


def _is_plain(first: bytes) -> bool:
    if not first or first[0] != TAG:
        return False
    at = 1
    while at < len(first) and first[at] & _MORE:
        at += 1
    return len(first) > at + 1 and first[at + 1] in _GROUP_TAGS and first[1:2] != b"\n"


class _Bytes:
    """A file read forward, the first bytes of which were looked at already."""

    def __init__(self, first: bytes, file: BinaryIO) -> None:
        self._first = first
        self._file = file
        self.at = 0

    def _read(self, size: int) -> bytes:
        head, self._first = self._first[:size], self._first[size:]
        got = head if len(head) == size else head + self._file.read(size - len(head))
        self.at += len(got)
        return got

    def more(self) -> bool:
        """Whether anything is left."""
        if not self._first:
            self._first = self._file.read(1)
        return bool(self._first)

    def take(self, size: int) -> bytes | None:
        """So many bytes; None at the end."""
        return self.exactly(size) if self.more() else None

    def exactly(self, size: int) -> bytes:
        """So many bytes, or a fault."""
        if size > MESSAGE_MAX:
            raise EventError(
                f"byte {self.at} begins a message of {size} bytes; one has at most {MESSAGE_MAX}",
                next_step="check that the file is OTLP",
            )
        got = self._read(size)
        if len(got) < size:
            raise EventError(
                f"the file ends at byte {self.at}, {size - len(got)} bytes before its last message"
                " does",
                next_step="ingest the whole file; what is in already is not counted twice",
            )
        return got

    def varint(self) -> int:
        """A length of one to ten bytes."""
        value = 0
        for at in range(_VARINT_MAX):
            byte = self.exactly(1)[0]
            value |= (byte & _BITS) << (_SEVEN * at)
            if not byte & _MORE:
                return value
        raise EventError(f"byte {self.at} ends a length of more than {_VARINT_MAX} bytes")
