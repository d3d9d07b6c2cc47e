"""Heads of HTTP/1.1: read by httptools, held to rules of ours, and written for the other side.

What two servers could read differently is refused, not repaired: a request whose length stands
twice, or in two ways, is how a second request is smuggled into somebody else's connection.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Final

import httptools
import msgspec

from tallybook.gateway.model import Refusal

HOP_BY_HOP: Final = frozenset(
    {
        *(b"connection", b"keep-alive", b"proxy-connection", b"proxy-authenticate"),
        *(b"proxy-authorization", b"te", b"trailer", b"transfer-encoding", b"upgrade", b"expect"),
    }
)
NEVER_SENT: Final = HOP_BY_HOP | {
    *(b"host", b"content-length", b"accept-encoding"),
    *(b"authorization", b"x-api-key", b"api-key", b"x-goog-api-key", b"cookie"),
    *(b"traceparent", b"tracestate", b"baggage"),
    *(b"x-amz-date", b"x-amz-security-token", b"x-amz-content-sha256"),
}
"""Headers of a request that are ours, the connection's, or the caller's alone."""

CHUNKED: Final = -1
UNTIL_CLOSE: Final = -2
_HEADERS_MAX: Final = 128
_TARGET_MAX: Final = 16_384
_LENGTH: Final = re.compile(rb"[0-9]{1,15}")
_SINGLE: Final = frozenset({b"host", b"content-length", b"transfer-encoding", b"expect"})
_TARGET: Final = re.compile(rb"/[!-~]*")
_BODILESS: Final = frozenset({204, 304})

LENGTH_LINE: Final = re.compile(rb"(\r\n[Cc]ontent-[Ll]ength: )([0-9]{1,15})(\r\n)")

Pairs = list[tuple[bytes, bytes]]


class BadHead(Exception):  # noqa: N818 - it is an answer
    """A head that is not taken; ``refusal`` says why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.refusal = Refusal(status, "request_malformed", message)


class _Collected:
    """What the parser told; one for each head, because a parser remembers the one before."""

    __slots__ = ("is_whole", "on_header", "pairs", "target")

    def __init__(self) -> None:
        self.is_whole = False
        self.pairs: Pairs = []
        self.target = b""
        self.on_header: Callable[[bytes, bytes], None] = lambda name, value: self.pairs.append(
            (name, value)
        )

    def on_url(self, url: bytes) -> None:
        self.target += url

    def on_headers_complete(self) -> None:
        self.is_whole = True


class RequestHead:
    """The head of a request that may be answered.

    ``length`` is that of the body or `CHUNKED`. ``named`` has the headers by name in lower case,
    the last of each; ``pairs`` has all of them as they came.
    """

    __slots__ = (
        "expects",
        "keep_alive",
        "length",
        "method",
        "minor",
        "named",
        "pairs",
        "path",
        "query",
    )

    def __init__(self, head: bytes) -> None:
        collected = _Collected()
        parser = httptools.HttpRequestParser(collected)
        try:
            parser.feed_data(head)
        except httptools.HttpParserUpgrade:
            raise BadHead(501, "This gateway does not switch protocols.") from None
        except httptools.HttpParserError:
            raise BadHead(400, "This is no request of HTTP/1.1.") from None
        if not collected.is_whole:
            raise BadHead(400, "This is no request of HTTP/1.1.")
        version = parser.get_http_version()
        if version not in ("1.1", "1.0"):
            raise BadHead(505, "Speak HTTP/1.1.")
        self.minor = int(version[2])
        self.method = parser.get_method().decode()
        if len(collected.target) > _TARGET_MAX or not _TARGET.fullmatch(collected.target):
            raise BadHead(400, "The target of a request is a path.")
        path, _, query = collected.target.partition(b"?")
        self.path, self.query = path.decode(), query.decode()
        self.pairs = collected.pairs
        self.named = _named(self.pairs)
        _check_lines(head)
        self._frame()

    def _frame(self) -> None:
        named = self.named
        coding, length = named.get(b"transfer-encoding"), named.get(b"content-length")
        if coding is not None:
            if length is not None or self.minor == 0 or coding.strip().lower() != b"chunked":
                raise BadHead(400, "The length of this request stands there in two ways.")
            self.length = CHUNKED
        elif length is not None:
            if not _LENGTH.fullmatch(length):
                raise BadHead(400, "Content-Length is a whole number.")
            self.length = int(length)
        else:
            self.length = 0
        if self.minor and b"host" not in named:
            raise BadHead(400, "A request of HTTP/1.1 names its host.")
        if b"upgrade" in named:
            raise BadHead(501, "This gateway does not switch protocols.")
        expect = named.get(b"expect", b"").lower()
        if expect not in (b"", b"100-continue"):
            raise BadHead(417, "Only 100-continue can be expected.")
        self.expects = bool(expect) and self.minor > 0
        tokens = _tokens(named.get(b"connection", b""))
        self.keep_alive = b"close" not in tokens and (self.minor > 0 or b"keep-alive" in tokens)

    def dropped(self) -> frozenset[bytes]:
        """Names of headers that this request wants to keep on its own connection."""
        told = self.named.get(b"connection")
        return frozenset(_tokens(told)) if told else frozenset()


def _tokens(told: bytes) -> list[bytes]:
    return [one.strip().lower() for one in told.split(b",")] if told else []


def _named(pairs: Pairs) -> dict[bytes, bytes]:
    if len(pairs) > _HEADERS_MAX:
        raise BadHead(431, f"{len(pairs)} headers are more than {_HEADERS_MAX}.")
    named: dict[bytes, bytes] = {}
    for name, value in pairs:
        low = name.lower()
        if low in named and low in _SINGLE:
            raise BadHead(400, f"{low.decode('latin-1')} stands twice.")
        named[low] = value
    return named


def _check_lines(head: bytes) -> None:
    """What the parser may let pass: bare line feeds, folded lines, zero bytes."""
    ends = head.count(b"\r\n")
    if head.count(b"\n") != ends or head.count(b"\r") != ends or b"\0" in head:
        raise BadHead(400, "Lines of a head end in CR LF, and hold neither.")
    if b"\r\n " in head or b"\r\n\t" in head:
        raise BadHead(400, "A header stands on one line.")


_USUAL: Final = re.compile(
    rb"HTTP/1\.1 ([2-5][0-9]{2})(?: [\t -~\x80-\xff]*+)?\r\n"
    rb"(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]++:[\t -~\x80-\xff]*+\r\n)*+\r\n"
)
_HOPS: Final = re.compile(
    rb"\r\n(?:connection|keep-alive|proxy-connection|proxy-authenticate|proxy-authorization|te"
    rb"|upgrade|expect|host):[^\r]*+"
)
_STRANGE: Final = re.compile(rb"\r\n(?:upgrade|expect|host):")
_CODINGS: Final = frozenset({b"", b"chunked"})
_CONNECTIONS: Final = frozenset({b"", b"close", b"keep-alive"})


def _only(low: bytes, name: bytes) -> bytes | None:
    """The value of a header in a head in lower case; b"" without it, None if it cannot be told."""
    at = low.find(name)
    if at < 0:
        return b""
    start = at + len(name)
    if low.find(name, start) >= 0:
        return None
    return low[start : low.index(b"\r\n", start)].lstrip(b" \t") or None


def _without_hops(head: bytes, low: bytes) -> bytes:
    """A head without the headers of its connection, and without its last empty line."""
    kept, at = [], 0
    for found in _HOPS.finditer(low):
        kept.append(head[at : found.start()])
        at = found.end()
    kept.append(head[at:-2])
    return b"".join(kept)


class _Lines(Mapping[str, str]):
    """The headers of a well-formed head, found where they stand when they are asked for.

    An answer has twenty, and a reader asks for five of them.
    """

    __slots__ = ("_head", "_low")

    def __init__(self, head: bytes, low: bytes) -> None:
        self._head = head
        self._low = low

    def __getitem__(self, name: str) -> str:
        found = self.get(name)
        if found is None:
            raise KeyError(name)
        return found

    def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]
        """The value of a header, the last of several; what is given where there is none."""
        mark = _mark(name)
        at = self._low.rfind(mark)
        if at < 0:
            return default
        start = at + len(mark)
        value = self._head[start : self._head.find(b"\r", start)]
        return value.lstrip(b" \t").decode("latin-1")

    def __contains__(self, name: object) -> bool:
        return _mark(str(name)) in self._low

    def __iter__(self) -> Iterator[str]:
        lines = self._low.decode("latin-1").split("\r\n")[1:-2]
        return iter(dict.fromkeys(line.partition(":")[0] for line in lines))

    def __len__(self) -> int:
        return sum(1 for _ in self)


@lru_cache(maxsize=256)
def _mark(name: str) -> bytes:
    """How a header begins in a head in lower case."""
    return f"\r\n{name}:".encode("latin-1", "replace")


class ReplyHead(msgspec.Struct):
    """The head of a provider's answer.

    ``length`` is that of the body, `CHUNKED` or `UNTIL_CLOSE`. ``raw`` is the head for the client,
    as it came but without what belongs to the connection, and without its last empty line.
    ``named`` has every header by its name in lower case, the last of each. ``is_plain`` says that
    all went well and that the body is JSON as it stands.
    """

    status: int
    length: int
    keep_alive: bool
    raw: bytes
    named: Mapping[str, str]
    is_plain: bool = False

    def without(self, *names: bytes) -> bytes:
        """The head for the client without some more headers."""
        start, *lines = self.raw.split(b"\r\n")
        kept = [line for line in lines if line.partition(b":")[0].lower() not in names]
        return b"\r\n".join([start, *kept])


def recognised(head: bytes, method: str) -> ReplyHead | None:
    """The head of an answer, if it has the usual form.

    One expression tells. Any other head goes to the parser, whose word counts: where both can read
    a head they say the same (`tests/gateway/test_heads.py`).

    Args:
        head: with its empty line.
        method: of the request that it answers.
    """
    found = _USUAL.fullmatch(head)
    if found is None or head.count(b"\r\n") > _HEADERS_MAX:
        return None
    low = head.lower()
    told, coding = _only(low, b"\r\ncontent-length:"), _only(low, b"\r\ntransfer-encoding:")
    if told is None or coding is None or (told and coding):
        return None
    if coding not in _CODINGS or (told and not _LENGTH.fullmatch(told)):
        return None
    keep_alive, raw = True, head[:-2]
    if _HOPS.search(low) is not None:
        connection = _only(low, b"\r\nconnection:")
        if connection not in _CONNECTIONS or _STRANGE.search(low):
            return None
        keep_alive, raw = connection != b"close", _without_hops(head, low)
    status = int(found[1])
    if method == "HEAD" or status in _BODILESS:
        length = 0
    elif coding:
        length = CHUNKED
    else:
        length = int(told) if told else UNTIL_CLOSE
    return ReplyHead(status, length, keep_alive and length != UNTIL_CLOSE, raw, _Lines(head, low))


def parsed(head: bytes, method: str) -> ReplyHead:
    """The head of any answer.

    Args:
        head: with its empty line.
        method: of the request that it answers.

    Raises:
        ValueError: it is none, or its length cannot be trusted.
    """
    collected = _Collected()
    parser = httptools.HttpResponseParser(collected)
    try:
        parser.feed_data(head)
    except (httptools.HttpParserUpgrade, httptools.HttpParserError) as error:
        raise ValueError("no answer of HTTP") from error
    if not collected.is_whole:
        raise ValueError("no answer of HTTP")
    try:
        named = _named(collected.pairs)
        _check_lines(head)
    except BadHead as error:
        raise ValueError(str(error)) from None
    status = parser.get_status_code()
    length = _reply_length(named, status, method)
    tokens = _tokens(named.get(b"connection", b""))
    cut = HOP_BY_HOP.union(tokens) - {b"transfer-encoding", b"trailer"}
    raw = head[:-2]
    if not cut.isdisjoint(named):
        start, _, _ = head.partition(b"\r\n")
        kept = [pair for pair in collected.pairs if pair[0].lower() not in cut]
        raw = b"".join([start, b"\r\n", *_lines(kept)])
    return ReplyHead(
        status,
        length,
        b"close" not in tokens
        and (parser.get_http_version() == "1.1" or b"keep-alive" in tokens)
        and length != UNTIL_CLOSE,
        raw,
        {name.decode("latin-1"): value.decode("latin-1") for name, value in named.items()},
    )


def _reply_length(named: dict[bytes, bytes], status: int, method: str) -> int:
    coding, length = named.get(b"transfer-encoding"), named.get(b"content-length")
    if method == "HEAD" or status in _BODILESS or status < 200:  # noqa: PLR2004
        return 0
    if coding is not None:
        if coding.strip().lower() != b"chunked" or length is not None:
            raise ValueError("its length stands there in two ways")
        return CHUNKED
    if length is None:
        return UNTIL_CLOSE
    if not _LENGTH.fullmatch(length):
        raise ValueError("its length is no number")
    return int(length)


def _lines(pairs: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
    return [b"%b: %b\r\n" % pair for pair in pairs]


def written(pairs: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Headers as lines."""
    return b"".join(_lines(pairs))


def with_length(head: bytes, length: int) -> bytes:
    """The head of an answer without its empty line, as one that tells a length, in one way."""
    start, *lines = head.split(b"\r\n")
    cut = (b"content-length", b"transfer-encoding", b"trailer")
    kept = [line for line in lines if line.partition(b":")[0].lower() not in cut]
    return b"\r\n".join([start, *kept]) + b"Content-Length: %d\r\n" % length


def request_start(method: str, target: str, authority: str, lines: bytes) -> bytes:
    """The same head of a request with a body, up to the digits of its length."""
    return (
        f"{method} {target} HTTP/1.1\r\nHost: {authority}\r\n".encode()
        + lines
        + b"Accept-Encoding: identity\r\nContent-Length: "
    )


def request_head(method: str, target: str, authority: str, lines: bytes, length: int) -> bytes:
    """The head of the request that goes on to a provider.

    Args:
        method: of HTTP.
        target: path and query.
        authority: host and port of the provider.
        lines: every other header, `written`.
        length: of the body, or `CHUNKED`.
    """
    start = f"{method} {target} HTTP/1.1\r\nHost: {authority}\r\n".encode()
    if length == CHUNKED:
        framing = b"Accept-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n"
    elif length or method not in ("GET", "HEAD", "DELETE"):
        framing = b"Accept-Encoding: identity\r\nContent-Length: %d\r\n\r\n" % length
    else:
        framing = b"Accept-Encoding: identity\r\n\r\n"
    return start + lines + framing
