"""The request that goes on to a provider: the caller's, with the credential that is ours.

Everything up to the length of the body is the same for all requests with one head and one
credential, and is written once.
"""

from __future__ import annotations

from typing import Final

from tallybook.gateway.call import Call
from tallybook.gateway.desk import Opening
from tallybook.gateway.framing import chunk
from tallybook.gateway.heads import CHUNKED, request_head, request_start, written
from tallybook.gateway.sigv4 import signed
from tallybook.gateway.works import Works

_SIGNED: Final = frozenset({"content-type", "x-amzn-bedrock-accept", "accept"})
_SERVICE: Final = "bedrock"
_BODILESS: Final = frozenset({"GET", "HEAD", "DELETE"})


def request_of(works: Works, call: Call, opening: Opening, length: int) -> bytes:
    """The head, and as much of the body as is there.

    Args:
        works: where the credentials are.
        call: that was admitted.
        opening: its head.
        length: of the body: a number of bytes, or `CHUNKED`.
    """
    upstream, body = call.upstream, call.body
    made_with, start = opening.sent
    if start and length > 0 and made_with is works.credentials[upstream.name].lines:
        return b"%b%d\r\n\r\n%b" % (start, length, body)
    is_signed = upstream.kind == "bedrock"
    if is_signed:
        credential = _signature(works, call, opening)
    else:
        credential = works.credentials[upstream.name].lines
    target = upstream.base + call.path
    if call.query:
        target = f"{target}?{call.query}"
    lines = opening.lines + credential
    if length == CHUNKED:
        return request_head(call.method, target, upstream.authority, lines, CHUNKED) + chunk(body)
    if length == 0 or call.method in _BODILESS:
        return request_head(call.method, target, upstream.authority, lines, length) + body
    start = request_start(call.method, target, upstream.authority, lines)
    if not is_signed:
        opening.sent = (credential, start)
    return b"%b%d\r\n\r\n%b" % (start, length, body)


def _signature(works: Works, call: Call, opening: Opening) -> bytes:
    upstream = call.upstream
    headers = {
        name.decode("latin-1").lower(): value.decode("latin-1")
        for name, value in opening.pairs
        if name.decode("latin-1").lower() in _SIGNED
    }
    pairs = signed(
        works.credentials[upstream.name].aws,
        method=call.method,
        path=upstream.base + call.path,
        query=call.query,
        headers={**headers, "host": upstream.authority},
        body=call.body,
        region=upstream.region,
        service=_SERVICE,
        now_us=works.clock.now_us(),
    )
    return written(pairs)
