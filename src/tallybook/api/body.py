"""The body of a request: read to a limit, unpacked to a limit."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator
from http import HTTPStatus

from tallybook.api.model import Refusal

_GZIP = 16 + zlib.MAX_WBITS


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
    room, rest = limit, body
    while rest:
        opener = zlib.decompressobj(_GZIP)
        try:
            part = opener.decompress(rest, room + 1)
        except zlib.error as error:
            raise Refusal(HTTPStatus.BAD_REQUEST, f"the body is not gzip: {error}") from error
        if len(part) > room:
            raise _too_large("the body, unpacked,", limit)
        if not opener.eof:
            raise Refusal(HTTPStatus.BAD_REQUEST, "the body is gzip that was cut")
        parts.append(part)
        room, rest = room - len(part), opener.unused_data
    return b"".join(parts)


def _too_large(what: str, limit: int) -> Refusal:
    return Refusal(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"{what} has more than {limit} bytes; send fewer spans at a time",
    )
