"""``POST /v1/events``: canonical events in, one JSON object a line, as spools ship them.

The answer is that of ``tallybook ingest jsonl --json``, and it comes after the events are on the
disk: whoever got it need not send them again, and whoever did not may. ``dropped`` are the rejected
that found no room in the reject files: their sender should keep them.

A body is read line by line as it is written, never whole: a line that cannot be read takes hundreds
of times its bytes.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from http import HTTPStatus
from io import BytesIO
from typing import Any, Final

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect

from tallybook.api.body import expect_few_lines, expect_lines, read_body, unpacked
from tallybook.api.guard import Guard
from tallybook.api.model import Limits, Refusal
from tallybook.api.refused import refused
from tallybook.clock import Clock
from tallybook.errors import EventError, StoreError
from tallybook.meter.identity import PERSONAL, Path
from tallybook.meter.ingest import ingest
from tallybook.meter.model import UsageEvent
from tallybook.meter.rejects import Rejects
from tallybook.meter.sources.jsonl import read_line
from tallybook.meter.sources.source import Reading
from tallybook.store import Store
from tallybook.store.commands import Command

_RETRY_S: Final = 5


def events_router(
    store: Store, clock: Clock, rejects: Rejects, limits: Limits, guard: Guard
) -> APIRouter:
    """The route.

    Args:
        store: open books.
        clock: when events are received.
        rejects: keeps what cannot be read.
        limits: of a request.
        guard: who may.
    """
    router = APIRouter()
    writing = CapacityLimiter(1)  # one writes at a time; the others wait their turn

    @router.post("/v1/events")
    async def events(request: Request) -> Response:
        try:
            guard.check(request.headers.get("authorization", ""), "ingest")
            expect_lines(request.headers.get("content-type", ""))
            body = await read_body(request.stream(), limits.body_bytes)
            encoding = request.headers.get("content-encoding", "")
            lines = partial(unpacked, body, encoding, limits.unpacked_bytes)
            counts = await to_thread.run_sync(
                _ingested, store, clock, rejects, limits, lines, limiter=writing
            )
        except ClientDisconnect:
            return Response(status_code=HTTPStatus.BAD_REQUEST)
        except Refusal as refusal:
            return refused(refusal)
        return JSONResponse(counts)

    return router


class _Body:
    """The lines of a body, as a source of those that are events.

    Raises:
        Refusal: there are more than are taken.
    """

    name = "events"
    personal: tuple[Path, ...] = PERSONAL

    def __init__(self, lines: bytes, limits: Limits) -> None:
        expect_few_lines(lines, limits.request_lines)
        self._lines = lines
        self._line_bytes = limits.line_bytes
        self.refused_count = 0

    def read(self) -> Iterator[Reading]:
        """Every event; what is none is counted."""
        self.refused_count = 0
        for one in self._readings():
            if isinstance(one.event, EventError):
                self.refused_count += 1
            else:
                yield one

    def refused(self) -> Iterator[Reading]:
        """Read again, every line that is neither an event nor blank."""
        return (one for one in self._readings() if isinstance(one.event, EventError))

    def _readings(self) -> Iterator[Reading]:
        for number, line in enumerate(BytesIO(self._lines), 1):
            if not line.isspace():
                yield Reading(f"body:{number}", *self._event(line))

    def _event(self, line: bytes) -> tuple[object, UsageEvent | EventError]:
        if len(line) <= self._line_bytes:
            return read_line(line)
        what = f"the line has {len(line)} bytes; an event has at most {self._line_bytes}"
        return line.decode("utf-8", "backslashreplace").rstrip("\r\n"), EventError(what)


def _ingested(
    store: Store, clock: Clock, rejects: Rejects, limits: Limits, lines: Callable[[], bytes]
) -> dict[str, Any]:
    body = _Body(lines(), limits)
    try:
        result = ingest(
            store,
            body,
            clock=clock,
            new_id=lambda: secrets.token_hex(8),
            on_progress=None,
            reject_folder=store.home / "rejects",
            command=Command("ingest", {"source": "events"}, "api"),
        )
        dropped = rejects.keep(body.refused()) if body.refused_count else 0
    except StoreError as error:
        raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, error.what, _RETRY_S) from error
    file = str(rejects.path) if body.refused_count > dropped else ""
    counts = {"rejected": body.refused_count, "reject_file": file, "dropped": dropped}
    return asdict(result) | counts
