"""Connections to a provider: dialled, kept, used again, and let go when they are stale."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, cast

from tallybook.gateway.forms import Forms
from tallybook.gateway.framing import Body, FramingError
from tallybook.gateway.heads import ReplyHead
from tallybook.gateway.model import Refusal, Upstream

if TYPE_CHECKING:
    from tallybook.gateway.exchange import Exchange
    from tallybook.gateway.works import Works

_HEAD_MAX: Final = 256 * 1024
_EARLY: Final = range(100, 200)
_SWITCHING: Final = 101


class Pool:
    """The connections of one process to one provider.

    Args:
        upstream: the provider.
        works: what the process shares.
    """

    def __init__(self, upstream: Upstream, works: Works) -> None:
        self._upstream = upstream
        self._works = works
        self._idle: list[Connection] = []
        self.forms = Forms(works.time)
        """in which its answers come"""
        self._dials: set[asyncio.Task[None]] = set()
        self._tls: ssl.SSLContext | None = None
        if upstream.tls:
            self._tls = ssl.create_default_context(
                cafile=str(upstream.ca_file) if upstream.ca_file else None
            )

    def take(self, exchange: Exchange, *, fresh: bool = False) -> None:
        """Give an exchange a connection, now or when there is one.

        Args:
            exchange: is told by ``connected`` or ``failed``.
            fresh: dial even if one is kept.
        """
        idle = self._idle
        while idle and not fresh:
            connection = idle.pop()
            if connection.is_open:
                connection.begin(exchange, reused=True)
                return
        task = asyncio.ensure_future(self._dial(exchange))
        self._dials.add(task)
        task.add_done_callback(self._dials.discard)

    async def _dial(self, exchange: Exchange) -> None:
        upstream = self._upstream
        try:
            async with asyncio.timeout(self._works.limits.connect_s):
                _, connection = await asyncio.get_running_loop().create_connection(
                    lambda: Connection(self, self._works),
                    upstream.host,
                    upstream.port,
                    ssl=self._tls,
                    server_hostname=upstream.host if upstream.tls else None,
                )
        except TimeoutError:
            exchange.failed(
                Refusal(504, "upstream_unreachable", "The provider could not be reached in time."),
                billed=False,
            )
        except (OSError, ssl.SSLError, ValueError) as error:
            self._works.health.warn(f"dial {upstream.name}", type(error).__name__)
            exchange.failed(
                Refusal(502, "upstream_unreachable", "The provider cannot be reached."),
                billed=False,
            )
        else:
            self._works.counters.add("upstream_connections")
            connection.begin(exchange, reused=False)

    def keep(self, connection: Connection) -> None:
        """Take a connection back for the next call."""
        works, idle = self._works, self._idle
        if works.stopping or len(idle) >= works.limits.pool_size:
            connection.abort()
            return
        connection.idle_since_s = works.time()
        idle.append(connection)

    def forget(self, connection: Connection) -> None:
        """A connection that was kept is gone."""
        if connection in self._idle:
            self._idle.remove(connection)

    def tend(self) -> None:
        """Close what was kept too long: the provider would, and a call might run into it."""
        oldest_s = self._works.time() - self._works.limits.pool_s
        stale = [one for one in self._idle if one.idle_since_s < oldest_s]
        if stale:
            self._idle = [one for one in self._idle if one.idle_since_s >= oldest_s]
        for one in stale:
            one.abort()

    def close(self) -> None:
        """Close everything that is kept."""
        for one in self._idle:
            one.abort()
        self._idle = []


class Connection(asyncio.Protocol):
    """One connection to a provider; it serves one exchange at a time."""

    __slots__ = (
        "_body",
        "_buffer",
        "_exchange",
        "_method",
        "_pool",
        "_reply",
        "_reused",
        "_transport",
        "_works",
        "idle_since_s",
        "is_held",
        "is_open",
        "send",
    )

    send: Callable[[bytes], None]
    """Hand over bytes of a request."""

    def __init__(self, pool: Pool, works: Works) -> None:
        self._pool = pool
        self._works = works
        self._exchange: Exchange | None = None
        self._reply: ReplyHead | None = None
        self._body: Body | None = None
        self._buffer = b""
        self._reused = False
        self.idle_since_s = 0.0
        self.is_open = False
        self.is_held = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is there."""
        self._transport = cast("asyncio.Transport", transport)
        self.send = self._transport.write
        self.is_open = True

    def begin(self, exchange: Exchange, *, reused: bool) -> None:
        """Serve an exchange."""
        self._exchange = exchange
        self._reused = reused
        exchange.connected(self)

    def hold(self, *, still: bool) -> None:
        """Read no more for now, or go on."""
        if self.is_open and still != self.is_held:
            self.is_held = still
            if still:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

    def release(self, *, reusable: bool = True) -> None:
        """The exchange is over; keep the connection if it stands between two messages."""
        self._exchange = None
        reply, body = self._reply, self._body
        whole = body is not None and body.ended and not self._buffer
        self._reply = self._body = None
        if reusable and whole and self.is_open and reply is not None and reply.keep_alive:
            if self.is_held:
                self.hold(still=False)
            self._pool.keep(self)
        else:
            self.abort()

    def spare(self) -> None:
        """Nothing was sent after all: keep it for the next call."""
        self._exchange = None
        if self.is_open:
            self._pool.keep(self)

    def abort(self) -> None:
        """Close it at once."""
        self._exchange = None
        if self.is_open:
            self.is_open = False
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Bytes of an answer; but for streams they are handled at the end of this turn."""
        exchange = self._exchange
        if exchange is None or not exchange.goes_straight:
            self._works.turn.answer(self, data)
            return
        content = self._body.whole_chunk(data) if self._body is not None else b""
        if not content:
            self.take(data)
            return
        try:
            exchange.relay(data, content)
        except Exception as error:  # noqa: BLE001 - as in `take`
            self._fault(exchange, error)

    def take(self, data: bytes) -> None:
        """Handle bytes that came."""
        exchange = self._exchange
        if exchange is None:  # nobody asked for anything
            self._pool.forget(self)
            self.abort()
            return
        try:
            if self._body is None:
                self._take_head(exchange, self._buffer + data if self._buffer else data)
            else:
                self._take_body(exchange, data)
        except ValueError as error:
            self._exchange = None
            exchange.failed(
                Refusal(502, "upstream_garbage", f"The provider answered no HTTP: {error}."),
                billed=True,
            )
            self.abort()
        except Exception as error:  # noqa: BLE001 - a fault of ours must not leave a call unsettled
            self._fault(exchange, error)

    def _fault(self, exchange: Exchange, error: Exception) -> None:
        self._works.health.failed("answer", error)
        self._exchange = None
        exchange.failed(Refusal(502, "gateway_fault", "The gateway failed."), billed=True)
        self.abort()

    def _take_head(self, exchange: Exchange, data: bytes) -> None:
        known = self._pool.forms.known(data, exchange.method)
        if known is not None:
            reply, end = known
            self._answer(exchange, reply, data[end:])
            return
        while True:
            end = data.find(b"\r\n\r\n")
            if end < 0:
                if len(data) > _HEAD_MAX:
                    raise ValueError("its head does not end")
                if data and not b"HTTP/".startswith(data[:5]):
                    raise ValueError("it does not begin with HTTP/")
                self._buffer = data
                return
            reply = self._pool.forms.read(data[: end + 4], exchange.method)
            data = data[end + 4 :]
            if reply.status == _SWITCHING:
                raise ValueError("it switches protocols")
            if reply.status not in _EARLY:
                break
        self._answer(exchange, reply, data)

    def _answer(self, exchange: Exchange, reply: ReplyHead, data: bytes) -> None:
        self._buffer = b""
        if 0 < reply.length == len(data) and exchange.answered(reply, data):
            self._exchange = None
            if reply.keep_alive and not self.is_held:
                self._pool.keep(self)
            else:
                self.abort()
            return
        self._reply = reply
        self._body = Body(reply.length)
        exchange.replied(reply)
        self._take_body(exchange, data)

    def _take_body(self, exchange: Exchange, data: bytes) -> None:
        body = self._body
        assert body is not None
        try:
            content, used = body.feed(data)
        except FramingError as error:
            self._exchange = None
            exchange.failed(
                Refusal(502, "upstream_garbage", f"The provider's answer is damaged: {error}."),
                billed=True,
            )
            self.abort()
            return
        if exchange.goes_straight and not body.ended:
            exchange.relay(data, content)
            return
        if used < len(data):  # more than the answer: not to be used again, and not passed on
            self._buffer = data[used:]
            data = data[:used]
        exchange.passed(data, content, ended=body.ended)

    def eof_received(self) -> bool:
        """The provider sends no more; the connection is closed."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self.is_open = False
        exchange, self._exchange = self._exchange, None
        if exchange is None:
            self._pool.forget(self)
            return
        body = self._body
        if body is not None and body.closed() and exc is None:
            exchange.passed(b"", b"", ended=True)
            return
        why = "its connection ended in the middle of an answer" if body else "without an answer"
        exchange.lost(why, reused=self._reused and not self._buffer)

    def pause_writing(self) -> None:
        """The provider takes no more for now."""
        if self._exchange is not None:
            self._exchange.upload_holds(still=True)

    def resume_writing(self) -> None:
        """It goes on."""
        if self._exchange is not None:
            self._exchange.upload_holds(still=False)
