"""``POST /v1/events``: canonical events in, one JSON object a line, as spools ship them.

The answer is that of ``tallybook ingest jsonl --json``, and it comes after the events are on the
disk: whoever got it need not send them again, and whoever did not may.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import asdict
from http import HTTPStatus
from typing import Final

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect

from tallybook.api.body import expect_lines, read_body, unpacked
from tallybook.api.guard import Guard
from tallybook.api.model import Limits, Refusal
from tallybook.api.refused import refused
from tallybook.clock import Clock
from tallybook.errors import StoreError
from tallybook.meter.identity import PERSONAL, Path
from tallybook.meter.ingest import IngestResult, ingest
from tallybook.meter.sources.jsonl import read_line
from tallybook.meter.sources.source import Reading
from tallybook.store import Store
from tallybook.store.commands import Command

_RETRY_S: Final = 5


def events_router(store: Store, clock: Clock, limits: Limits, guard: Guard) -> APIRouter:
    """The route.

    Args:
        store: open books.
        clock: when events are received.
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
            result = await to_thread.run_sync(
                _ingested, store, clock, body, encoding, limits.unpacked_bytes, limiter=writing
            )
        except ClientDisconnect:
            return Response(status_code=HTTPStatus.BAD_REQUEST)
        except Refusal as refusal:
            return refused(refusal)
        return JSONResponse(asdict(result))

    return router


class _Lines:
    """The lines of a body, as a source."""

    name = "events"
    personal: tuple[Path, ...] = PERSONAL

    def __init__(self, body: bytes) -> None:
        self._body = body

    def read(self) -> Iterator[Reading]:
        """Every line that is not blank."""
        for number, line in enumerate(self._body.split(b"\n"), 1):
            if line.strip():
                yield Reading(f"body:{number}", *read_line(line))


def _ingested(store: Store, clock: Clock, body: bytes, encoding: str, limit: int) -> IngestResult:
    try:
        return ingest(
            store,
            _Lines(unpacked(body, encoding, limit)),
            clock=clock,
            new_id=lambda: secrets.token_hex(8),
            on_progress=None,
            reject_folder=store.home / "rejects",
            command=Command("ingest", {"source": "events"}, "api"),
        )
    except StoreError as error:
        raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, error.what, _RETRY_S) from error
