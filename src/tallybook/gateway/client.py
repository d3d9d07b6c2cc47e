"""The caller's connection: requests are cut out of the bytes and answered one by one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Final, cast

from tallybook import __version__
from tallybook.gateway.desk import Known, Opening
from tallybook.gateway.exchange import Exchange
from tallybook.gateway.faces import error_answer
from tallybook.gateway.framing import Body, FramingError
from tallybook.gateway.heads import CHUNKED, BadHead, RequestHead
from tallybook.gateway.model import Kind, Refusal
from tallybook.gateway.works import Works

_WAITING_MAX: Final = 256 * 1024
_PEEK: Final = 64 * 1024
_COLLECTED_MAX: Final = 1024 * 1024
_LINGER_S: Final = 2.0
_PARTING_S: Final = 1.5
"""A process that stops closes connections that were idle for so long; on the others a request may
be under way already, whose answer says that it is the last."""
_LINGER_BYTES: Final = 8 * 1024 * 1024
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_OWN: Final = ("/healthz", "/readyz", "/metrics")


class Client(asyncio.Protocol):
    """One connection of a caller.

    Args:
        works: what the process shares.
    """

    _buffer = b""
    _head: RequestHead | None = None
    _known: Known | None = None
    _length = 0
    _body: Body | None = None
    _opening: Opening | None = None
    _exchange: Exchange | None = None
    _uploading: Exchange | None = None
    _streams = _closing = _begun = False
    _is_between = True
    _lingered = 0
    send: Callable[[bytes], None]
    """Hand over bytes of an answer."""

    def __init__(self, works: Works) -> None:
        self._works = works
        self._pieces: list[bytes] = []
        self._stopped_by: set[str] = set()
        self._idle_since_s = works.time()
        self.deadline_s = self._idle_since_s + works.limits.client_s

    # -- what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody is there."""
        self._transport = cast("asyncio.Transport", transport)
        self.send = self._transport.write  # every piece of every answer goes through it
        works = self._works
        works.counters.add("connections")
        if len(works.clients) >= works.limits.connections:
            self._transport.abort()
            return
        works.clients.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """They are gone."""
        self._works.clients.discard(self)
        self._closing, self._is_between = True, False
        exchange, self._exchange = self._exchange, None
        self._uploading = None
        if exchange is not None:
            exchange.caller_lost()

    def eof_received(self) -> bool:
        """They send no more. Whoever hangs up does the same, so they are taken to have left."""
        return False

    def data_received(self, data: bytes) -> None:
        """Bytes of requests; they are handled at the end of this turn of the loop."""
        self._works.turn.request(self, data)

    def take(self, data: bytes) -> None:
        """Handle bytes that came."""
        if self._is_between:
            try:
                if self._take_known(data):
                    return
            except Exception as error:  # noqa: BLE001 - as in `_advance`
                self._fault(error)
                return
        elif self._closing:
            self._linger(len(data))
            return
        self._is_between = False
        self._buffer = self._buffer + data if self._buffer else data
        self._advance()
        if self._exchange is not None and len(self._buffer) > _WAITING_MAX:
            self._still("waiting", still=True)

    def pause_writing(self) -> None:
        """They take no more for now."""
        if self._exchange is not None:
            self._exchange.caller_holds(still=True)

    def resume_writing(self) -> None:
        """They go on."""
        if self._exchange is not None:
            self._exchange.caller_holds(still=False)

    # -- requests out of bytes

    def _advance(self) -> None:
        try:
            while self._buffer and not self._closing:
                if self._body is not None:
                    if not self._take_body():
                        return
                elif self._exchange is not None or not self._take_head():
                    return  # one at a time; what was sent ahead waits
        except BadHead as error:
            self._refuse(error.refusal, close=True)
        except FramingError as error:
            self._refuse_amid(Refusal(400, "request_malformed", f"The body: {error}."))
        except Exception as error:  # noqa: BLE001 - one request's trouble is not the process's
            self._fault(error)

    def _fault(self, error: Exception) -> None:
        self._works.health.failed("request", error)
        self._refuse_amid(Refusal(500, "gateway_fault", "The gateway failed at this request."))

    def _take_known(self, data: bytes) -> bool:
        """Take a whole request that came in one piece, with a head that was let through before.

        Nearly all are like that. Whatever is not goes through `_advance`, which decides everything.
        """
        known = self._known
        body = known.body_of(data) if known is not None and known.is_good() else None
        if known is None or body is None:
            return False
        works = self._works
        length = len(body)
        if length > works.limits.body_bytes:
            return False
        self._is_between = False
        opening = known.opening
        self._head, self._length = opening.head, length
        counters = works.counters
        counters.requests += 1
        counters.in_bytes += length
        self._pass_on(opening, body, whole=True)
        return True

    def _take_head(self) -> bool:
        """Take the next head; whether there was a whole one."""
        data, works = self._buffer.lstrip(b"\r\n"), self._works
        end = data.find(b"\r\n\r\n")
        if end < 0 or end > works.limits.head_bytes:
            if len(data) > works.limits.head_bytes:
                raise BadHead(431, f"The head is longer than {works.limits.head_bytes} bytes.")
            if data and not self._begun:
                self._begun = True
                self.deadline_s = works.time() + works.limits.client_s
            self._buffer = data
            return False
        self._buffer = data[end + 4 :]
        raw = data[: end + 4]
        known = works.desk.known(raw)
        if known is None:
            self._head = head = RequestHead(raw)
            self._length = head.length
        else:
            head, self._length = known[0].opening.head, known[1]
            self._head = head
        self._body = Body(self._length)
        self._pieces, self._opening, self._streams = [], None, False
        self._begun = False
        works.counters.add("requests")
        self.deadline_s = works.time() + works.limits.client_s
        if head.path in _OWN and head.method in ("GET", "HEAD"):
            self._answer_own(head)
        else:
            self._open(head, raw, known[0] if known is not None else None)
        if not self._buffer and self._length == 0:
            self._take_body_of_none()
        return True

    def _take_body_of_none(self) -> None:
        """A request without a body is whole with its head."""
        if self._body is not None:
            self._take_body()

    def _open(self, head: RequestHead, raw: bytes, known: Known | None) -> None:
        opened = self._works.desk.open(head) if known is None else known.opening
        if isinstance(opened, Refusal):
            self._refuse(opened)
            return
        if known is None:
            known = self._works.desk.know(raw, opened)
        self._known = known if not head.expects else None
        limits = self._works.limits
        self._streams = _is_streamed(opened, self._length)
        most = limits.upload_bytes if self._streams else limits.body_bytes
        if self._length > most:
            self._refuse(_too_large(most), close=True)
            return
        self._opening = opened
        if head.expects:
            self._transport.write(_CONTINUE)

    def _take_body(self) -> bool:
        """Take what there is of a body; whether anything else may follow in the buffer."""
        body, works = self._body, self._works
        assert body is not None
        content, used = body.feed(self._buffer)
        self._buffer = self._buffer[used:]
        self.deadline_s = works.time() + works.limits.client_s
        works.counters.add("in_bytes", len(content))
        limits = works.limits
        most = limits.upload_bytes if self._streams else limits.body_bytes
        if body.size > most:
            self._refuse_amid(_too_large(most))
            return False
        if body.ended:
            self._body = None
        if self._uploading is not None:
            uploading = self._uploading
            if body.ended:
                self._uploading = None
            uploading.upload(content, ended=body.ended)
        elif self._opening is not None:
            if content:
                self._pieces.append(content)
            if body.ended or (self._streams and body.size >= _PEEK):
                self._begin(b"".join(self._pieces), whole=body.ended)
        return body.ended

    def _begin(self, content: bytes, *, whole: bool) -> None:
        opening = self._opening
        assert opening is not None
        self._opening, self._pieces = None, []
        self._pass_on(opening, content, whole=whole)

    def _pass_on(self, opening: Opening, content: bytes, *, whole: bool) -> None:
        works = self._works
        call = works.desk.begin(opening, content, whole=whole)
        if isinstance(call, Refusal):
            self._refuse(call, close=not whole)
            return
        length = len(call.body) if whole else self._length
        exchange = Exchange(works, call, opening, length, self, sent_all=whole)
        self._exchange = exchange
        if not whole:
            self._uploading = exchange
        exchange.start()

    # -- answers of ours

    def _answer_own(self, head: RequestHead) -> None:
        works = self._works
        kind, status = "application/json", "200 OK"
        if head.path == "/metrics":
            works.counters.publish()
            works.counters.put("under_way", works.ledger.under_way)
            works.counters.put("clients", len(works.clients))
            kind, text = "text/plain; version=0.0.4", works.table.as_text()
        elif head.path == "/readyz" and (works.stopping or not works.ready):
            why = "stopping" if works.stopping else "events cannot be written"
            status, text = "503 Service Unavailable", json.dumps({"status": why})
        else:
            text = json.dumps({"status": "ok", "version": __version__})
        body = text.encode()
        close = b"connection: close\r\n" if not self.stays else b""
        answer = f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n"
        self._transport.write(
            answer.encode() + close + b"\r\n" + (b"" if head.method == "HEAD" else body)
        )
        self._answered(close=not self.stays)

    def _refuse(self, refusal: Refusal, *, close: bool = False) -> None:
        """Answer with an error; a body that still comes is passed over, or not waited for."""
        body = self._body
        rest = body is not None and not body.ended
        ahead = rest and self._head is not None and 0 <= self._length <= _PEEK
        close = close or not self.stays or (rest and not ahead)
        self._works.counters.add("refused")
        if not self._transport.is_closing():
            self._transport.write(error_answer(self._kind(), refusal, close=close))
        self._answered(close=close)

    def _refuse_amid(self, refusal: Refusal) -> None:
        """A body is too long after a part of it went on."""
        exchange, self._exchange, self._uploading = self._exchange, None, None
        if exchange is not None:
            exchange.caller_lost()
        self._refuse(refusal, close=True)

    def _kind(self) -> Kind:
        path = self._head.path if self._head is not None else "/"
        upstream, _ = self._works.desk.upstream_of(path)
        return upstream.kind if upstream is not None else "openai"

    def _answered(self, *, close: bool) -> None:
        self._opening, self._pieces = None, []
        if self._body is not None and self._body.ended:
            self._body = None
        if close:
            self._close()
        else:
            self._is_between = self._body is None and not self._buffer

    def _close(self) -> None:
        """Say that nothing follows, and hear the caller out, so that the answer arrives."""
        self._closing, self._is_between = True, False
        self._buffer = b""
        if (
            self._body is None
            or self._transport.is_closing()
            or not self._transport.can_write_eof()
        ):
            self._transport.close()
            return
        self._transport.write_eof()
        self._still("waiting", still=False)
        self.deadline_s = self._works.time() + _LINGER_S

    def _linger(self, size: int) -> None:
        self._lingered += size
        if self._lingered > _LINGER_BYTES:
            self._transport.abort()

    # -- what an exchange calls

    @property
    def minor(self) -> int:
        """The minor version of HTTP of the request under way."""
        return self._head.minor if self._head is not None else 1

    @property
    def stays(self) -> bool:
        """Whether the connection may be used again."""
        head = self._head
        return head is not None and head.keep_alive and head.minor > 0 and not self._works.stopping

    def done(self, *, close: bool) -> None:
        """The answer is complete."""
        works = self._works
        self._exchange = None
        self._idle_since_s = now_s = works.time()
        self.deadline_s = now_s + works.limits.keepalive_s
        if self._stopped_by:
            self._still("upload", still=False)
            self._still("waiting", still=False)
        if close or self._uploading is not None:
            self._uploading = None
            self._close()
        elif self._buffer:
            works.soon(self._advance)
        else:
            self._is_between = self._body is None

    def cut(self) -> None:
        """Break the connection."""
        self._closing, self._is_between = True, False
        self._transport.abort()

    def hold(self, *, still: bool) -> None:
        """Take no more of the body for now, or go on."""
        self._still("upload", still=still)

    def _still(self, why: str, *, still: bool) -> None:
        if self._transport.is_closing():
            return
        before = bool(self._stopped_by)
        if still:
            self._stopped_by.add(why)
        else:
            self._stopped_by.discard(why)
        if bool(self._stopped_by) != before:
            if still:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

    def tend(self, now_s: float, *, stopping: bool) -> None:
        """Look at the clock: called every half second."""
        idle = self._exchange is None and self._body is None
        if stopping and idle and not self._buffer and now_s - self._idle_since_s > _PARTING_S:
            self._transport.close()
        elif now_s < self.deadline_s or (self._exchange is not None and self._uploading is None):
            return
        elif self._closing or (idle and not self._buffer):
            self._transport.abort() if self._closing else self._transport.close()
        elif self._uploading is not None and "upload" in self._stopped_by:
            return
        else:
            exchange, self._exchange, self._uploading = self._exchange, None, None
            if exchange is not None:
                exchange.caller_lost()
            self._refuse(
                Refusal(408, "request_timeout", "The request did not arrive in time."), close=True
            )


def _is_streamed(opened: Opening, length: int) -> bool:
    """Whether a body goes on before it is whole: sound and files; JSON is looked at first."""
    head = opened.head
    if opened.upstream.kind == "bedrock":
        return False  # the signature covers the body
    kind = head.named.get(b"content-type", b"").lower()
    if b"json" in kind or not kind:
        return False
    return length == CHUNKED or length > _COLLECTED_MAX


def _too_large(most: int) -> Refusal:
    return Refusal(413, "body_too_large", f"The body is longer than {most} bytes.")
