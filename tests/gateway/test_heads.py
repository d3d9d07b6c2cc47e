"""Heads: what two servers could read differently is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallybook.gateway.heads import (
    CHUNKED,
    UNTIL_CLOSE,
    BadHead,
    RequestHead,
    parsed,
    recognised,
    request_head,
)

HOST = b"Host: gw\r\n"

SMUGGLING = {
    "length twice": b"POST / HTTP/1.1\r\nHost: gw\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
    "length twice the same": b"POST / HTTP/1.1\r\nHost: gw\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
    "lengths in a list": b"POST / HTTP/1.1\r\nHost: gw\r\nContent-Length: 5, 5\r\n\r\n",
    "length and chunks": b"POST / HTTP/1.1\r\nHost: gw\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    "chunks and length": b"POST / HTTP/1.1\r\nHost: gw\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
    "coding twice": b"POST / HTTP/1.1\r\nHost: gw\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n",
    "coding unknown": b"POST / HTTP/1.1\r\nHost: gw\r\nTransfer-Encoding: xchunked\r\n\r\n",
    "coding in a list": b"POST / HTTP/1.1\r\nHost: gw\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
    "coding identity": b"POST / HTTP/1.1\r\nHost: gw\r\nTransfer-Encoding: identity\r\n\r\n",
    "coding in quotes": b'POST / HTTP/1.1\r\nHost: gw\r\nTransfer-Encoding: "chunked"\r\n\r\n',
    "coding with a tab": b"POST / HTTP/1.1\r\nHost: gw\r\nTransfer-Encoding:\x0bchunked\r\n\r\n",
    "coding in 1.0": b"POST / HTTP/1.0\r\nHost: gw\r\nTransfer-Encoding: chunked\r\n\r\n",
    "space before the colon": b"POST / HTTP/1.1\r\nHost: gw\r\nContent-Length : 5\r\n\r\n",
    "folded": b"POST / HTTP/1.1\r\nHost: gw\r\nTransfer-Encoding:\r\n chunked\r\n\r\n",
    "folded with a tab": b"POST / HTTP/1.1\r\nHost: gw\r\nX: a\r\n\tb\r\n\r\n",
    "bare line feed": b"POST / HTTP/1.1\nHost: gw\nContent-Length: 5\r\n\r\n",
    "bare line feed in a value": b"POST / HTTP/1.1\r\nHost: gw\r\nX: a\nContent-Length: 5\r\n\r\n",
    "bare carriage return": b"POST / HTTP/1.1\r\nHost: gw\r\nX: a\rb\r\n\r\n",
    "zero byte": b"POST / HTTP/1.1\r\nHost: gw\r\nX: a\0b\r\n\r\n",
    "negative length": b"POST / HTTP/1.1\r\nHost: gw\r\nContent-Length: -1\r\n\r\n",
    "length with a plus": b"POST / HTTP/1.1\r\nHost: gw\r\nContent-Length: +5\r\n\r\n",
    "length in hex": b"POST / HTTP/1.1\r\nHost: gw\r\nContent-Length: 0x5\r\n\r\n",
    "length beyond bounds": b"POST / HTTP/1.1\r\nHost: gw\r\nContent-Length: 99999999999999999999\r\n\r\n",
    "empty length": b"POST / HTTP/1.1\r\nHost: gw\r\nContent-Length: \r\n\r\n",
    "no host": b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
    "two hosts": b"POST / HTTP/1.1\r\nHost: gw\r\nHost: other\r\n\r\n",
    "absolute target": b"POST http://evil/ HTTP/1.1\r\nHost: gw\r\n\r\n",
    "target with a space": b"POST /a b HTTP/1.1\r\nHost: gw\r\n\r\n",
    "target beyond ASCII": b"POST /\xc3\xa4 HTTP/1.1\r\nHost: gw\r\n\r\n",
    "connect": b"CONNECT evil:443 HTTP/1.1\r\nHost: gw\r\n\r\n",
    "upgrade": b"GET / HTTP/1.1\r\nHost: gw\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    "upgrade to http/2": b"GET / HTTP/1.1\r\nHost: gw\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n",
    "http/2 preface": b"PRI * HTTP/2.0\r\n\r\n",
    "version 0.9": b"GET /\r\n\r\n",
    "version 3": b"GET / HTTP/3.0\r\nHost: gw\r\n\r\n",
    "expects magic": b"POST / HTTP/1.1\r\nHost: gw\r\nExpect: magic\r\n\r\n",
    "name with a space": b"POST / HTTP/1.1\r\nHost: gw\r\nX Y: 1\r\n\r\n",
    "name in brackets": b"POST / HTTP/1.1\r\nHost: gw\r\n(x): 1\r\n\r\n",
    "no name": b"POST / HTTP/1.1\r\nHost: gw\r\n: 1\r\n\r\n",
    "no colon": b"POST / HTTP/1.1\r\nHost: gw\r\nchunked\r\n\r\n",
    "too many headers": b"POST / HTTP/1.1\r\nHost: gw\r\n" + b"X: 1\r\n" * 200 + b"\r\n",
    "method unknown": b"HACK / HTTP/1.1\r\nHost: gw\r\n\r\n",
    "garbage": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n",
}


@pytest.mark.parametrize("head", SMUGGLING.values(), ids=SMUGGLING)
def test_what_could_be_read_in_two_ways_is_refused(head):
    with pytest.raises(BadHead) as caught:
        RequestHead(head)
    assert 400 <= caught.value.refusal.status < 600


def test_a_head_is_read():
    head = RequestHead(
        b"POST /openai/v1/x?a=b%20c HTTP/1.1\r\nHost: gw\r\nX-A: one\r\nx-a: two\r\n"
        b"Content-Length: 12\r\nConnection: close, X-Secret\r\nExpect: 100-Continue\r\n\r\n"
    )
    assert (head.method, head.path, head.query) == ("POST", "/openai/v1/x", "a=b%20c")
    assert (head.length, head.expects, head.keep_alive) == (12, True, False)
    assert [pair for pair in head.pairs if pair[0].lower() == b"x-a"] == [
        (b"X-A", b"one"),
        (b"x-a", b"two"),
    ]
    assert b"x-secret" in head.dropped()


@pytest.mark.parametrize(
    ("version", "connection", "kept"),
    [("1.1", "", True), ("1.1", "close", False), ("1.0", "", False), ("1.0", "keep-alive", True)],
)
def test_who_keeps_a_connection(version, connection, kept):
    line = f"Connection: {connection}\r\n" if connection else ""
    head = RequestHead(f"GET / HTTP/{version}\r\nHost: gw\r\n{line}\r\n".encode())
    assert head.keep_alive is kept


def test_chunks_are_told_by_the_head():
    head = b"POST / HTTP/1.1\r\nHost: gw\r\nTransfer-Encoding: Chunked\r\n\r\n"
    assert RequestHead(head).length == CHUNKED


def reply_of(head, method="POST"):
    return recognised(head, method) or parsed(head, method)


def test_a_reply_passes_as_it_came_but_for_its_connection():
    head = b"HTTP/1.1 200 OK\r\nServer: x\r\nX-B:  y\r\nContent-Length: 3\r\n\r\n"
    assert reply_of(head).raw == head[:-2]
    told = b"HTTP/1.1 200 Fine\r\nConnection: keep-alive, x-hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nX-B: y\r\nTransfer-Encoding: chunked\r\n\r\n"
    reply = reply_of(told)
    assert reply.raw == b"HTTP/1.1 200 Fine\r\nX-B: y\r\nTransfer-Encoding: chunked\r\n"
    assert (reply.length, reply.keep_alive) == (CHUNKED, True)


@pytest.mark.parametrize(
    ("head", "length", "kept"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", UNTIL_CLOSE, False),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 0, True),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", 0, True),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\n", 9, False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\n", 9, False),
    ],
)
def test_where_a_reply_ends(head, length, kept):
    reply = reply_of(head)
    assert (reply.length, reply.keep_alive) == (length, kept)


@pytest.mark.parametrize(
    "head",
    [
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"HTTP/1.1 200 OK\nX: 1\r\n\r\n",
        b"HTTP/9.9 banana\r\n\r\n",
    ],
)
def test_a_reply_that_cannot_be_trusted_is_none(head):
    with pytest.raises(ValueError):
        reply_of(head)


TOLD = (
    "Content-Length content-length Transfer-Encoding Connection Keep-Alive Upgrade Host Expect TE "
    "Trailer X-Request-Id Content-Type X-A x-a Proxy-Connection"
)
NAMES = st.sampled_from(TOLD.split(" "))
VALUES = st.sampled_from(
    [
        "5",
        "05",
        "+5",
        "chunked",
        "Chunked",
        "gzip",
        "close",
        "Close",
        "keep-alive",
        "x-a",
        "",
        "a b",
    ]
) | st.text(st.characters(max_codepoint=255), max_size=6)
SPACES = st.sampled_from(["", " ", "  ", "\t", " \t "])
LINES = st.lists(st.tuples(NAMES, SPACES, VALUES, SPACES), max_size=6)
STARTS = st.sampled_from(
    [
        *("HTTP/1.1 200 OK", "HTTP/1.1 204", "HTTP/1.1 200", "HTTP/1.0 200 OK", "HTTP/1.1 304 x"),
        *("HTTP/1.1 099 x", "HTTP/1.1 600 x", "HTTP/1.1  200 OK", "HTTP/1.1 429 Slow\tdown", "x"),
    ]
)


@given(STARTS, LINES, st.sampled_from(["POST", "HEAD"]))
def test_a_reply_that_is_recognised_is_read_as_the_parser_reads_it(start, lines, method):
    text = "".join(f"{name}:{one}{value}{two}\r\n" for name, one, value, two in lines)
    head = f"{start}\r\n{text}\r\n".encode("latin-1")
    if head.count(b"\r\n\r\n") > 1:
        return
    quick = recognised(head, method)
    if quick is None:
        return
    whole = parsed(head, method)
    assert (quick.status, quick.length) == (whole.status, whole.length)
    assert quick.keep_alive == whole.keep_alive
    assert dict(quick.named) == whole.named
    assert len(quick.named) == len(whole.named)
    assert quick.named.get("x-a") == whole.named.get("x-a")
    assert _plain(quick.raw) == _plain(whole.raw)


def _plain(raw: bytes) -> list[bytes]:
    """The lines of a head without the spaces that mean nothing."""
    start, *lines = raw.split(b"\r\n")
    pairs = (line.partition(b":") for line in lines if line)
    return [start, *(name + b":" + value.strip(b" \t") for name, _, value in pairs)]


def test_an_answer_as_providers_send_it_is_recognised():
    head = (
        b"HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 10:00:00 GMT\r\nContent-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\nConnection: keep-alive\r\nx-request-id: req_1\r\n\r\n"
    )
    reply = recognised(head, "POST")
    assert reply.raw == head[:-2].replace(b"Connection: keep-alive\r\n", b"")
    assert reply.named["x-request-id"] == "req_1"


def test_a_request_is_written_with_one_length():
    lines = b"X-A: 1\r\n"
    assert request_head("POST", "/v1", "up:1", lines, 3) == (
        b"POST /v1 HTTP/1.1\r\nHost: up:1\r\nX-A: 1\r\nAccept-Encoding: identity\r\n"
        b"Content-Length: 3\r\n\r\n"
    )
    assert b"Transfer-Encoding: chunked" in request_head("POST", "/v1", "up", lines, CHUNKED)
    assert b"Length" not in request_head("GET", "/v1", "up", lines, 0)
