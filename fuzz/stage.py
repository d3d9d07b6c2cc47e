"""A gateway without a network: bytes of a caller and of a provider in, bytes for both out.

What must hold for any bytes stands in `played`; the fuzzer and the quick tests call it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tallybook.gateway.client import Client
from tallybook.gateway.config import read_config
from tallybook.gateway.counters import Counters
from tallybook.gateway.forms import Forms
from tallybook.gateway.framing import Body
from tallybook.gateway.heads import RequestHead
from tallybook.gateway.keyring import issue
from tallybook.gateway.model import Refusal, VirtualKey
from tallybook.gateway.routes import treatment_of
from tallybook.gateway.upstream import Connection
from tallybook.gateway.worker import make_works

REAL = "sk-real-secret"
KINDS = ("openai", "anthropic", "gemini")


class Wire:
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        self.written = b""
        self.closed = False

    def write(self, data: bytes) -> None:
        """Keep it."""
        if not self.closed:
            self.written += data

    def close(self) -> None:
        """Nothing more is written."""
        self.closed = True

    abort = close

    def is_closing(self) -> bool:
        """Whether it was closed."""
        return self.closed

    def can_write_eof(self) -> bool:
        """As TCP can."""
        return True

    def write_eof(self) -> None:
        """Nothing follows."""

    def pause_reading(self) -> None:
        """Nothing is read here by itself."""

    resume_reading = pause_reading


class Line:
    """A connection to the provider: what was sent on it, and how far it was answered."""

    def __init__(self, pool: Any, works: Any) -> None:
        self.wire = Wire()
        self.connection = Connection(pool, works)
        self.connection.connection_made(self.wire)  # type: ignore[arg-type]
        self.answered = 0


class Stage:
    """The gateway; see above.

    Args:
        folder: for keys and the spool.
    """

    def __init__(self, folder: Path) -> None:
        (folder / "real").write_text(REAL)
        upstreams = [
            {"name": kind, "kind": kind, "url": "http://provider", "key_file": "real"}
            for kind in KINDS
        ]
        path = folder / "gateway.yaml"
        path.write_text(
            json.dumps(
                {
                    "spool": "spool",
                    "keys": "keys.json",
                    "default": "openai",
                    "upstreams": upstreams,
                    "limits": {"body_mib": 1},
                }
            )
        )
        config = read_config(path)
        key = VirtualKey(id="vk", digest="", hint="", issued_us=1, teams=("a",), features=("f",))
        self.secret = issue(config.keys, key, lambda: "0" * 43)
        self._waiting: list[Callable[[], None]] = []
        self.works = make_works(config, Counters(1), 0, time=lambda: 1.0, soon=self._waiting.append)
        self.works.pools = dict.fromkeys(KINDS, self)  # type: ignore[misc]
        self._lines: list[Line] = []
        self.forms = Forms(self.works.time)

    # what an exchange asks of a pool

    def take(self, exchange: Any, *, fresh: bool = False) -> None:
        """A connection that is free, else a new one."""
        for line in () if fresh else self._lines:
            if line.connection.is_open and line.connection._exchange is None:  # noqa: SLF001 - the stage looks behind
                line.connection.begin(exchange, reused=True)
                return
        self._lines.append(Line(self, self.works))
        self._lines[-1].connection.begin(exchange, reused=False)

    def keep(self, _connection: Any) -> None:
        """It is found by `take`."""

    forget = keep

    def played(self, said: Sequence[bytes], answers: Sequence[bytes]) -> tuple[bytes, list[bytes]]:
        """What a caller hears who says this to a provider that answers so; and what that got.

        Raises:
            AssertionError: a call was not settled, a request was sent on that nobody let through,
                or one was not whole, or a key of one side reached the other.
        """
        self._lines, self._waiting[:] = [], []
        client, wire = Client(self.works), Wire()
        client.connection_made(wire)  # type: ignore[arg-type]
        left = list(answers)
        for piece in said:
            if not wire.closed and piece:
                client.data_received(piece)
            self._run(left)
        client.connection_lost(None)
        self._run(left)
        for line in self._lines:
            line.connection.connection_lost(None)
        self._run(left)
        if self.works.ledger.under_way or self.works.exchanges:
            raise AssertionError("a call was not settled")
        sent = [line.wire.written for line in self._lines]
        for one in sent:
            self._check(one)
        if REAL.encode() in wire.written and not any(REAL.encode() in one for one in answers):
            raise AssertionError("the real key reached the caller")
        if self.works.health.counts().get("failed"):
            raise AssertionError(f"a fault of ours: {self.works.health.counts()}")
        return wire.written, sent

    def _run(self, answers: list[bytes]) -> None:
        while True:
            while self._waiting:
                self._waiting.pop(0)()
            line = next((one for one in self._lines if self._asks(one)), None)
            if line is None:
                return
            line.answered += 1
            if answers:
                line.connection.data_received(answers.pop(0))
            else:
                line.wire.close()
                line.connection.connection_lost(None)

    def _asks(self, line: Line) -> bool:
        """Whether a whole request on a line waits for its answer."""
        busy = line.connection.is_open and line.connection._exchange is not None  # noqa: SLF001
        return busy and len(messages(line.wire.written)[0]) > line.answered

    def _check(self, sent: bytes) -> None:
        found, rest = messages(sent)
        if rest:
            raise AssertionError(f"half a request went on: {rest[:200]!r}")
        for head in found:
            upstream = self.works.config.upstreams
            if all(
                isinstance(treatment_of(one, head.method, head.path), Refusal) for one in upstream
            ):
                raise AssertionError(f"{head.method} {head.path} went on")
        if self.secret.encode() in sent or b"tallybook" in sent.lower():
            raise AssertionError(f"what is ours went on: {sent!r}")


def messages(sent: bytes) -> tuple[list[RequestHead], bytes]:
    """The requests in what was sent, as a strict server reads them, and what follows the last."""
    found: list[RequestHead] = []
    while sent:
        head, ended, rest = sent.partition(b"\r\n\r\n")
        if not ended:
            return found, sent
        one = RequestHead(head + ended)
        body = Body(one.length)
        _, used = body.feed(rest)
        if not body.ended:
            return found, sent
        found.append(one)
        sent = rest[used:]
    return found, b""
