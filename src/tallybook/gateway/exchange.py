"""One call between a caller and a provider: bytes both ways, and the moment at which it is settled.

The event is on the disk before the last byte of the answer goes out, so nobody ever holds a whole
answer that is not in the books, however this process ends.
"""

from __future__ import annotations

from typing import Final, Protocol

from tallybook.gateway.call import Call, Ending
from tallybook.gateway.desk import Opening
from tallybook.gateway.faces import error_answer, error_event
from tallybook.gateway.framing import LAST_CHUNK, TRAILER_TOLD, chunk, takes_trailer, with_cost
from tallybook.gateway.heads import CHUNKED, UNTIL_CLOSE, ReplyHead, with_length
from tallybook.gateway.model import Refusal
from tallybook.gateway.onward import request_of
from tallybook.gateway.prices import as_text
from tallybook.gateway.reading import Reading
from tallybook.gateway.results import Uploaded, Watch, watch_of
from tallybook.gateway.upstream import Connection
from tallybook.gateway.works import Works
from tallybook.meter.model import Status

_HELD_MAX: Final = 4 * 1024 * 1024
_ERROR: Final = 400
_SUCCESS: Final = range(200, 300)
_MAYBE_BILLED: Final = frozenset({504, 524})
_MASK: Final = b"[key]"
_CLASSES: Final = tuple(f"answers_{digit}xx" for digit in range(6))


class Caller(Protocol):
    """The caller's side, as an exchange needs it."""

    @property
    def minor(self) -> int:
        """The minor version of HTTP that it speaks."""

    @property
    def stays(self) -> bool:
        """Whether its connection may be used again after this answer."""

    def send(self, data: bytes) -> None:
        """Hand over bytes of the answer."""

    def done(self, *, close: bool) -> None:
        """The answer is complete."""

    def cut(self) -> None:
        """The answer cannot be completed: break off, so that nobody takes it for whole."""

    def hold(self, *, still: bool) -> None:
        """Take no more of the request for now, or go on."""


class Exchange:
    """See above.

    Args:
        works: what the process shares.
        call: that was admitted at the desk.
        opening: what of the caller's head goes on.
        length: of the body: a number, or `CHUNKED` for one that is streamed.
        caller: who asked.
        sent_all: whether the body is there whole.
    """

    __slots__ = (
        *("_begun_s", "_call", "_caller", "_closes", "_connection", "_delivered", "_drained"),
        *("_first_s", "_head", "_head_out", "_held", "_left_whole", "_length", "_opening", "_over"),
        *("_reading", "_reframed", "_reply", "_retried", "_sent_all", "_trails", "_uploads"),
        *("_was_sent", "_watch", "_works", "deadline_s", "goes_straight", "method"),
    )

    def __init__(
        self,
        works: Works,
        call: Call,
        opening: Opening,
        length: int,
        caller: Caller,
        *,
        sent_all: bool,
    ) -> None:
        self._works = works
        self._call = call
        self._opening = opening
        self._length = length
        self._caller: Caller | None = caller
        self._sent_all = sent_all
        self.method = call.method
        self._begun_s = works.time()
        self.deadline_s = self._begun_s + works.limits.connect_s + 1
        self.goes_straight = False
        """Whether the next piece of the answer goes on as it comes, unless it is the last."""
        self._connection: Connection | None = None
        self._reply: ReplyHead | None = None
        self._reading: Reading | None = None
        self._watch: Watch | None = None
        self._first_s: float | None = None
        self._held: list[bytes] | None = None
        self._uploads: tuple[bytes, ...] = ()
        self._head = b""
        self._was_sent = self._retried = self._reframed = self._head_out = self._closes = False
        self._left_whole = self._over = self._trails = False
        self._delivered = self._drained = 0

    # -- towards the provider

    def start(self) -> None:
        """Have the call let in by its budgets, now or in a while; then it goes out."""
        works, call = self._works, self._call
        if call.treatment != "metered":
            self._watch = watch_of(call, works.ledger)
        works.exchanges.add(self)
        budgets = works.budgets
        if budgets is None:
            self._go()
            return
        self.deadline_s += budgets.wait_s
        budgets.admit(call, self._go, self._not_let_in)

    def _not_let_in(self, refusal: Refusal) -> None:
        self._works.ledger.dismiss(self._call)
        self._refuse(refusal)

    def _go(self) -> None:
        """Note the call and find a connection for it."""
        works, call = self._works, self._call
        ledger = works.ledger
        if self._over:
            ledger.dismiss(call)
            return
        if self._sent_all:
            self._length = len(call.body)  # another model may stand in it now
        try:
            ledger.admit(call)
        except OSError as error:
            works.health.failed("intents", error)
            ledger.dismiss(call)
            self._refuse(
                Refusal(503, "not_metered", "This call cannot be noted, so it is not passed on.", 5)
            )
            return
        works.counters.calls += 1
        pool = works.pools.get(call.upstream.name) or works.pool_of(call.upstream)
        pool.take(self)

    def connected(self, connection: Connection) -> None:
        """A connection is there: the request goes out."""
        if self._over or (self._caller is None and not self._was_sent):
            connection.spare()
            return
        works = self._works
        self._connection = connection
        self.deadline_s = works.time() + works.limits.first_byte_s
        connection.send(request_of(works, self._call, self._opening, self._length))
        self._was_sent = True
        if self._sent_all and not self._uploads:
            return
        for piece in self._uploads:
            connection.send(piece)
        self._uploads = ()
        if not self._sent_all and self._caller is not None:
            self._caller.hold(still=False)

    def upload(self, content: bytes, *, ended: bool) -> None:
        """More of a streamed body came."""
        if isinstance(self._watch, Uploaded):
            with self._works.health.guarded("results"):
                self._watch.sent(content)
        piece = chunk(content) if self._length == CHUNKED else content
        if ended and self._length == CHUNKED:
            piece += LAST_CHUNK
        self._sent_all = self._sent_all or ended
        if self._connection is None:
            self._uploads = (*self._uploads, piece)
            if self._caller is not None:
                self._caller.hold(still=True)
        elif piece:
            self._connection.send(piece)
        self.deadline_s = self._works.time() + self._works.limits.first_byte_s

    def upload_holds(self, *, still: bool) -> None:
        """The provider takes no more for now, or goes on."""
        if self._caller is not None and not self._sent_all:
            self._caller.hold(still=still)

    # -- towards the caller

    def replied(self, reply: ReplyHead) -> None:
        """The head of the answer came."""
        self._reply = reply
        works, call = self._works, self._call
        status, standing = reply.status, call.standing
        if status < 600:  # noqa: PLR2004
            works.counters.add(_CLASSES[status // 100])
        reading = None
        if call.asked is not None and call.attempt is not None and status in _SUCCESS:
            reading = self._reading = Reading(
                call.asked,
                reply.named,
                strip=call.strip,
                health=works.health,
                reader=standing.reader if standing is not None else None,
            )
        head = reply.raw
        if self._must_hold(reply):
            self._held = []
        elif reply.length == CHUNKED and (
            (reading is not None and reading.edits) or (self._caller and self._caller.minor == 0)
        ):
            self._reframed = True
            if self._caller is not None and self._caller.minor == 0:
                head = reply.without(b"transfer-encoding", b"trailer")
        elif reading is not None and reading.edits and reply.length >= 0:
            self._reframed = True
            head = reply.without(b"content-length") + b"Transfer-Encoding: chunked\r\n"
        if works.prices is not None and reading is not None and self._held is None:
            self._trails = takes_trailer(self._opening.head, reply)
            head += TRAILER_TOLD if self._trails else b""
        self._closes = (
            reply.length == UNTIL_CLOSE
            or not self._sent_all
            or self._caller is None
            or not self._caller.stays
        )
        self._head = head + call.lines

    def answered(self, reply: ReplyHead, body: bytes) -> bool:
        """Take a plain answer that is here whole, head and body; whether it was one.

        It is settled and goes on as `replied` and `passed` would do it, in one step. Whatever is
        not as usual is left to them.
        """
        works, call, caller = self._works, self._call, self._caller
        standing = call.standing
        if (
            standing is None
            or standing.reader is None
            or not reply.is_plain
            or caller is None
            or works.prices is not None
            or not self._sent_all
        ):
            return False
        try:
            named = reply.named
            found = standing.reader(body, named)
            took_s = works.time() - self._begun_s
            if found is None or not works.ledger.settle_plain(
                call, found, named, took_s, self._hand_over
            ):
                return False
        except Exception as error:  # noqa: BLE001 - it is read again, and then counted as a fault
            works.health.failed("reader", error)
            return False
        counters = works.counters
        counters.answers += 1
        counters.out_bytes += len(body)
        self._closes = not caller.stays
        end = b"Connection: close\r\n\r\n" if self._closes else b"\r\n"
        self._head = b"".join((reply.raw, call.lines, end, body))
        self._over = self._head_out = True
        self._connection = None
        return True

    def _hand_over(self) -> None:
        """The event of a plain answer is on the disk, so it goes out."""
        self._works.exchanges.discard(self)
        caller, self._caller = self._caller, None
        if caller is not None:
            caller.send(self._head)
            caller.done(close=self._closes)

    def _must_hold(self, reply: ReplyHead) -> bool:
        """Whether the answer is looked at whole before any of it goes on."""
        if reply.status < _ERROR and self._works.prices is None:
            return False
        if not 0 <= reply.length <= _HELD_MAX and reply.length != CHUNKED:
            return False
        if self._call.method == "HEAD" or not reply.length:
            return False
        if reply.status >= _ERROR:
            return True
        reading = self._reading
        return (
            self._works.prices is not None
            and reading is not None
            and reading.wire == "json"
            and self._call.treatment == "metered"
        )

    def passed(self, raw: bytes, content: bytes, *, ended: bool) -> None:
        """A piece of the answer's body came.

        Args:
            raw: as it came, framing and all.
            content: what it holds.
            ended: whether it is the last.
        """
        works, caller = self._works, self._caller
        now_s = works.time()
        self.deadline_s = now_s + works.limits.idle_s
        if content and self._first_s is None:
            self._first_s = now_s - self._begun_s
        if caller is None:
            self._drained += len(content)
        out = self._read(raw, content, ended=ended)
        if ended:
            out = self._ended(out)
        if caller is None:
            self._drain(ended=ended)
            return
        if not self._head_out and (self._held is None or ended):
            closing = b"Connection: close\r\n\r\n" if self._closes else b"\r\n"
            out = self._head + closing + out
            self._head_out = True
        if out:
            caller.send(out)
            self._delivered += len(content)
        if ended:
            self._finish(close=self._closes)
        else:
            self.goes_straight = (
                self._first_s is not None
                and self._head_out
                and self._watch is None
                and self._held is None
                and not self._reframed
            )

    def relay(self, raw: bytes, content: bytes) -> None:
        """A piece that neither begins nor ends an answer goes on as it came (`goes_straight`)."""
        works, reading, caller = self._works, self._reading, self._caller
        assert caller is not None
        self.deadline_s = works.time() + works.limits.idle_s
        if reading is not None:
            reading.feed(content)
        self._delivered += len(content)
        caller.send(raw)

    def _ended(self, out: bytes) -> bytes:
        """The last piece came: the event is on the disk before it goes out; what does."""
        if self._held is not None:
            out = self._released()
        here = self._caller is not None or self._left_whole
        self._settle("ok" if here else "client_aborted")
        return with_cost(out, self._cost()) if self._trails else out

    def _read(self, raw: bytes, content: bytes, *, ended: bool) -> bytes:
        """Read a piece; what goes on to the caller of it."""
        reading = self._reading
        edited = reading.feed(content) if reading is not None and content else content
        if self._watch is not None and self._reply is not None and self._reply.status in _SUCCESS:
            with self._works.health.guarded("results"):
                self._watch.feed(content, ended=ended)
        if self._held is not None:
            self._held.append(edited)
            if sum(map(len, self._held)) > _HELD_MAX:
                return self._let_go(ended=ended)
            return b""
        if not self._reframed:
            return raw
        if ended and reading is not None:
            edited += reading.rest()
        if self._caller is not None and self._caller.minor == 0:
            return edited
        return chunk(edited) + (LAST_CHUNK if ended else b"")

    def _let_go(self, *, ended: bool) -> bytes:
        """An answer is longer than may be held: what was held goes out, in chunks."""
        assert self._held is not None
        assert self._reply is not None
        content, self._held = b"".join(self._held), None
        self._reframed = True
        self._head = self._reply.without(b"content-length")
        if self._reply.length != CHUNKED:
            self._head += b"Transfer-Encoding: chunked\r\n"
        return chunk(content) + (LAST_CHUNK if ended else b"")

    def _released(self) -> bytes:
        """The whole of an answer that was held: masked if it is an error, with its cost if not."""
        assert self._held is not None
        assert self._reply is not None
        body, self._held = b"".join(self._held), None
        reply, works = self._reply, self._works
        changed = body
        if reply.status >= _ERROR:
            for mark in works.credentials[self._call.upstream.name].marks:
                changed = changed.replace(mark, _MASK)
                self._head = self._head.replace(mark, _MASK)
        if reply.length != len(changed):
            self._head = with_length(self._head, len(changed))
        cost = self._cost()
        if cost:
            self._head += f"x-tallybook-cost: {cost}\r\n".encode()
        return changed

    def _cost(self) -> str:
        prices, reading, attempt = self._works.prices, self._reading, self._call.attempt
        if prices is None or reading is None or attempt is None:
            return ""
        with self._works.health.guarded("prices"):
            found = reading.finish()
            region = self._call.upstream.region
            pico = prices.cost_pico(found, attempt.started_us, region) if found else None
            return "" if pico is None else as_text(pico)
        return ""

    # -- ends

    def _settle(self, status: Status) -> None:
        reply, reading, call = self._reply, self._reading, self._call
        assert reply is not None
        ending = Ending(
            status,
            headers=reply.named,
            first_s=self._first_s if reading is not None and reading.wire != "json" else None,
            delivered=self._delivered,
            total=self._delivered + self._drained,
        )
        if reading is not None:
            ending.reading = reading.finish()
            ending.billed = True
            if status == "ok":
                failed = ending.reading is not None and ending.reading.status == "error"
                cut = reading.wire != "json" and not reading.ended and _is_cut(ending)
                ending.status = "error" if failed or cut else "ok"
        else:
            ending.status = "error"
            ending.billed = reply.status in _MAYBE_BILLED
        self._works.ledger.settle(call, ending, self._works.time() - self._begun_s)

    def _drain(self, *, ended: bool) -> None:
        """The caller has left, and the provider is heard out, within bounds."""
        if ended:
            self._works.counters.add("drained")
            self._finish(close=True)
        elif self._drained > self._works.limits.drain_bytes:
            self._give_up("client_aborted")

    def _give_up(self, status: Status) -> None:
        """Hear no more of the provider; what came is what is known."""
        connection = self._connection
        if self._reply is None:
            took_s = self._works.time() - self._begun_s
            # A request that was not sent whole cannot have been worked on.
            ending = Ending(status if self._sent_all else "error", billed=self._sent_all)
            self._works.ledger.settle(self._call, ending, took_s)
        else:
            self._settle(status)
        self._finish(close=True)
        if connection is not None:
            connection.abort()

    def _finish(self, *, close: bool) -> None:
        if self._over:
            return
        self._works.counters.add("out_bytes", self._delivered)
        self._part(close=close)

    def _part(self, *, close: bool) -> None:
        """Let go of both connections."""
        self._over = True
        self.goes_straight = False
        self._works.exchanges.discard(self)
        caller, self._caller = self._caller, None
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.release(reusable=self._sent_all)
        if caller is not None:
            caller.done(close=close)

    def _refuse(self, refusal: Refusal) -> None:
        """Answer with an error of ours, or break off where an answer has begun."""
        caller = self._caller
        if caller is not None and not self._head_out:
            self._works.counters.add("refused")
            close = not self._sent_all or not caller.stays
            caller.send(error_answer(self._call.upstream.kind, refusal, close=close))
            self._finish(close=close)
            return
        if caller is not None:
            self._caller = None
            if self._may_add_event():
                event = error_event(self._call.upstream.kind, refusal)
                caller.send(chunk(event) + LAST_CHUNK if caller.minor else event)
                caller.done(close=True)
            else:
                caller.cut()
        self._finish(close=True)

    def _may_add_event(self) -> bool:
        """Whether an error can still be told as an event of the stream, between two others."""
        reading, reply = self._reading, self._reply
        return (
            reading is not None
            and reply is not None
            and reading.wire == "sse"
            and reply.length == CHUNKED
            and self._reframed
            and reading.at_boundary
        )

    def failed(self, refusal: Refusal, *, billed: bool) -> None:
        """The provider brings no whole answer."""
        if self._over:
            return
        self._works.counters.add("upstream_failures")
        if self._reply is not None:
            self._settle("error" if self._caller is not None else "client_aborted")
        else:
            status: Status = "error" if self._caller is not None or not billed else "client_aborted"
            ending = Ending(status, billed=billed and self._was_sent)
            self._works.ledger.settle(self._call, ending, self._works.time() - self._begun_s)
        self._refuse(refusal)

    def lost(self, why: str, *, reused: bool) -> None:
        """The connection to the provider is gone before the end of the answer."""
        if self._over:
            return
        self._connection = None
        if (
            self._reply is None
            and reused
            and not self._retried
            and self._sent_all
            and not self._uploads
            and len(self._call.body) == self._length
        ):
            # Closed while it was kept: nobody has seen the request.
            self._retried = True
            self._works.counters.add("stale_retries")
            self._works.pool_of(self._call.upstream).take(self, fresh=True)
            return
        self.failed(
            Refusal(502, "upstream_cut", f"The provider broke off: {why}."), billed=self._sent_all
        )

    def caller_lost(self) -> None:
        """The caller has left."""
        self._caller = None
        if self._over:
            return
        self.goes_straight = False
        self._left_whole = self._reading is not None and self._reading.ended
        self._works.counters.add("client_aborts")
        if not self._was_sent:
            self._works.ledger.dismiss(self._call)
            self._finish(close=True)
        elif not self._sent_all or self._call.upstream.on_abort == "cancel":
            self._give_up("client_aborted")
        else:
            self.deadline_s = self._works.time() + self._works.limits.drain_s
            if self._connection is not None:
                self._connection.hold(still=False)

    def caller_holds(self, *, still: bool) -> None:
        """The caller takes no more for now, or goes on."""
        if self._connection is not None:
            self._connection.hold(still=still)

    def stop(self) -> None:
        """The process ends and waits no longer: what is known is written down."""
        if self._over:
            return
        if not self._was_sent:
            self._works.ledger.dismiss(self._call)
        elif self._reply is not None:
            self._settle("error" if self._caller is not None else "client_aborted")
        else:
            ending = Ending("error", billed=True)
            self._works.ledger.settle(self._call, ending, self._works.time() - self._begun_s)
        self._refuse(Refusal(503, "stopping", "The gateway stops; try again.", 1))

    def late(self) -> None:
        """The deadline has passed."""
        connection = self._connection
        if self._caller is None:
            self._give_up("client_aborted")
            return
        if connection is not None and connection.is_held:
            # It is the caller who does not read.
            self._caller.cut()
            return
        waited = "began no answer" if self._reply is None else "paused too long in its answer"
        self.failed(
            Refusal(504, "upstream_timeout", f"The provider {waited}."), billed=self._was_sent
        )
        if connection is not None:
            connection.abort()


def _is_cut(ending: Ending) -> bool:
    reading = ending.reading
    return reading is not None and reading.status == "client_aborted"
