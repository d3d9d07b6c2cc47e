"""One attempt of a call, from the request to the last byte: what each moment means for its usage.

Nothing here may fail in front of the caller: every way in is guarded, and after a fault of ours the
bytes go on as they came.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import monotonic_ns
from typing import Final

from tallybook.meter.model import Status
from tallybook.meter.usage.model import UsageReading, Wire
from tallybook.meter.usage.stream import UsageStream
from tallybook.sdk.counters import Health
from tallybook.sdk.passing import READABLE, Unpacking, WithoutUsageChunk
from tallybook.sdk.record import Attempt, Outcome, request_id_of

Written = Callable[[Attempt, Outcome], None]

_WIRES: Final[Mapping[str, Wire]] = {
    "text/event-stream": "sse",
    "application/x-ndjson": "ndjson",
    "application/stream+json": "ndjson",
    "application/jsonl": "ndjson",
    "application/vnd.amazon.eventstream": "aws-eventstream",
}
_READ_MAX: Final = 64 * 1024 * 1024
_ERROR: Final = 400
_TIMED_OUT_ON_THE_WAY: Final = frozenset({504, 524})
_NOT_SENT: Final = frozenset(
    ("ConnectError", "ConnectTimeout", "PoolTimeout", "UnsupportedProtocol", "ProxyError")
) | {"LocalProtocolError", "InvalidURL"}
_GIVEN_UP: Final = frozenset(
    ("ReadTimeout", "WriteTimeout", "CancelledError", "GeneratorExit", "KeyboardInterrupt")
) | {"SystemExit"}


class Call:
    """One attempt under way.

    Args:
        attempt: who asks for what.
        strip: take out the usage chunk that the caller did not ask for.
        written: takes the outcome, once.
        health: told of faults of ours.
    """

    def __init__(self, attempt: Attempt, *, strip: bool, written: Written, health: Health) -> None:
        self._attempt = attempt
        self._strip = strip
        self._written = written
        self._health = health
        self._started_ns = monotonic_ns()
        self._request_id = ""
        self.done = False

    def failed(self, error: BaseException) -> None:
        """The request brought no answer."""
        with self._health.guarded("call"):
            name = type(error).__name__
            given_up = name in _GIVEN_UP
            self._end(
                Outcome(
                    status="client_aborted" if given_up else "error",
                    took_us=self.took_us(),
                    billed=name not in _NOT_SENT,
                )
            )

    def answered(self, status: int, headers: Mapping[str, str]) -> Body | None:
        """An answer begins; what watches its body, or None if there is nothing to watch."""
        with self._health.guarded("call"):
            self._request_id = request_id_of(headers)
            if status >= _ERROR:
                self._end(
                    Outcome(
                        status="error",
                        took_us=self.took_us(),
                        billed=status in _TIMED_OUT_ON_THE_WAY,
                        request_id=self._request_id,
                    )
                )
                return None
            return Body(self, self._attempt, headers, strip=self._strip, health=self._health)
        return None

    def read(self, status: Status, reading: UsageReading | None, first_us: int | None) -> None:
        """The body has ended, one way or another."""
        self._end(
            Outcome(
                status=status,
                took_us=self.took_us(),
                reading=reading,
                billed=True,
                first_us=first_us,
                request_id=self._request_id,
            )
        )

    def took_us(self) -> int:
        """Microseconds since the request went out."""
        return (monotonic_ns() - self._started_ns) // 1000

    def _end(self, outcome: Outcome) -> None:
        if not self.done:
            self.done = True
            self._written(self._attempt, outcome)


class Body:
    """The body of an answer on its way to the caller."""

    def __init__(
        self,
        call: Call,
        attempt: Attempt,
        headers: Mapping[str, str],
        *,
        strip: bool,
        health: Health,
    ) -> None:
        self._call = call
        self._health = health
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        encoding = headers.get("content-encoding", "").strip().lower()
        wire = _WIRES.get(kind, "json")
        self._stream = UsageStream(
            provider=attempt.asked.provider,
            endpoint=attempt.asked.endpoint,
            wire=wire,
            headers=headers,
            model=attempt.asked.model,
        )
        self._unpacking = Unpacking(encoding)
        self._readable = encoding in READABLE and not kind.startswith(("audio/", "image/"))
        plain = encoding in ("", "identity")
        self._without = WithoutUsageChunk() if strip and wire == "sse" and plain else None
        self._wire = wire
        self._size = 0
        self._first_us: int | None = None

    def passes(self, chunk: bytes) -> bytes:
        """Read a piece; what goes on to the caller."""
        try:
            self._look(chunk)
        except Exception as error:  # noqa: BLE001 - nothing of ours may reach the caller
            self._readable = False
            self._health.failed("reader", error)
        return self._handed_on(chunk)

    def ends(self) -> bytes:
        """The last piece has passed; what was held back of it."""
        self._finish("ok" if self._wire == "json" or self._stream.ended else "error")
        return self._without.rest() if self._without else b""

    def breaks(self, error: BaseException) -> None:
        """The body broke off, by the network or by the caller."""
        if self._whole():
            self._finish("ok")
        else:
            self._finish("client_aborted" if type(error).__name__ in _GIVEN_UP else "error")

    def closes(self) -> None:
        """The caller reads no more; nothing if the end was seen."""
        self._finish("ok" if self._whole() else "client_aborted")

    def _whole(self) -> bool:
        return self._wire != "json" and self._stream.ended

    def _handed_on(self, chunk: bytes) -> bytes:
        without = self._without
        if without is None:
            return chunk
        try:
            return without.feed(chunk)
        except Exception as error:  # noqa: BLE001 - nothing of ours may reach the caller
            self._without = None
            self._health.failed("reader", error)
            return without.held + chunk

    def _look(self, chunk: bytes) -> None:
        if self._first_us is None:
            self._first_us = self._call.took_us()
        if self._readable:
            data = self._unpacking.feed(chunk)
            self._size += len(data)
            if self._wire == "json" and self._size > _READ_MAX:
                self._readable = False
            else:
                self._stream.feed(data)

    def _finish(self, status: Status) -> None:
        if self._call.done:
            return
        with self._health.guarded("reader"):
            reading = None
            if self._readable:
                with self._health.guarded("reader"):
                    reading = self._stream.finish()
            if reading is not None and status == "ok" and reading.status == "error":
                status = "error"
            self._call.read(status, reading, self._first_us if self._wire != "json" else None)
