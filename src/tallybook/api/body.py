"""The body of a request: of a form that is read, read to a limit, unpacked to a limit."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Final

from tallybook.api.model import Refusal

_GZIP: Final = 16 + zlib.MAX_WBITS
_PIECE: Final = 16 * 1024
"""So much of a body at once: after each of a million small members what is left of it is copied."""
LINES: Final = ("application/x-ndjson", "application/jsonl", "application/json")


def expect_lines(content_type: str) -> None:
    """See that a body says it is one JSON object a line.

    No page of another site gets a browser to send such a body unasked.

    Raises:
        Refusal: it says something else, or nothing.
    """
    if content_type.partition(";")[0].strip().lower() not in LINES:
        raise Refusal(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"Content-Type is {content_type[:50]!r}; it is {LINES[0]}, one JSON object a line",
        )


async def read_body(chunks: AsyncIterator[bytes], limit: int) -> bytes:
    """The bytes of a request.

    Raises:
        Refusal: there are more than the limit.
    """
    parts: list[bytes] = []
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise _too_large("the body", limit)
        parts.append(chunk)
    return b"".join(parts)


def unpacked(body: bytes, encoding: str, limit: int) -> bytes:
    """A body without its content encoding. No more than the limit is ever unpacked.

    Args:
        body: as it came.
        encoding: the value of ``Content-Encoding``, '' if there is none.
        limit: in bytes, unpacked.

    Raises:
        Refusal: the encoding is another one, the body is not of it, or it is too large.
    """
    name = encoding.strip().lower()
    if name in {"", "identity"}:
        return body
    if name != "gzip":
        raise Refusal(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"Content-Encoding is {encoding[:50]!r}; it is gzip or identity",
        )
    parts: list[bytes] = []
    room, opener = limit, None
    for at in range(0, len(body), _PIECE):
        rest = body[at : at + _PIECE]
        while rest:
            opener = opener or zlib.decompressobj(_GZIP)
            try:
                part = opener.decompress(rest, room + 1)
            except zlib.error as error:
                raise Refusal(HTTPStatus.BAD_REQUEST, f"the body is not gzip: {error}") from error
            if len(part) > room:
                raise _too_large("the body, unpacked,", limit)
            parts.append(part)
            room -= len(part)
            rest, opener = (opener.unused_data, None) if opener.eof else (b"", opener)
    if opener is not None:
        raise Refusal(HTTPStatus.BAD_REQUEST, "the body is gzip that was cut")
    return b"".join(parts)


def expect_few_lines(body: bytes, limit: int) -> None:
    """See that a body does not have more lines than are taken, before it is taken apart.

    Raises:
        Refusal: it has more.
    """
    if body.count(b"\n") > limit:
        raise too_many(limit, "lines")


def too_many(limit: int, what: str) -> Refusal:
    """The refusal of a body that lists more than is taken."""
    return Refusal(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"the body has more than {limit} {what}; send fewer at a time",
    )


def _too_large(what: str, limit: int) -> Refusal:
    return Refusal(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"{what} has more than {limit} bytes; send fewer spans at a time",
    )
