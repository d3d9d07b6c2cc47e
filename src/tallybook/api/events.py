"""``POST /v1/events``: canonical events in, one JSON object a line, as spools ship them.

The answer is that of ``tallybook ingest jsonl --json``, and it comes after the events are on the
disk: whoever got it need not send them again, and whoever did not may. ``dropped`` are the rejected
that found no room in the reject files: their sender should keep them.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from http import HTTPStatus
from typing import Any, Final

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect

from tallybook.api.body import expect_lines, read_body, unpacked
from tallybook.api.guard import Guard
from tallybook.api.model import Limits, Refusal
from tallybook.api.refused import refused
from tallybook.api.rejects import Rejects
from tallybook.clock import Clock
from tallybook.errors import EventError, StoreError
from tallybook.meter.identity import PERSONAL, Path
from tallybook.meter.ingest import ingest
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
                _ingested, store, clock, rejects, lines, limiter=writing
            )
        except ClientDisconnect:
            return Response(status_code=HTTPStatus.BAD_REQUEST)
        except Refusal as refusal:
            return refused(refusal)
        return JSONResponse(counts)

    return router


class _Given:
    """Readings that are at hand, as a source."""

    name = "events"
    personal: tuple[Path, ...] = PERSONAL

    def __init__(self, readings: Sequence[Reading]) -> None:
        self._readings = readings

    def read(self) -> Iterator[Reading]:
        return iter(self._readings)


def _read(body: bytes) -> Iterator[Reading]:
    """Every line that is not blank."""
    for number, line in enumerate(body.split(b"\n"), 1):
        if line.strip():
            yield Reading(f"body:{number}", *read_line(line))


def _ingested(
    store: Store, clock: Clock, rejects: Rejects, lines: Callable[[], bytes]
) -> dict[str, Any]:
    good: list[Reading] = []
    bad: list[Reading] = []
    for one in _read(lines()):
        (bad if isinstance(one.event, EventError) else good).append(one)
    try:
        result = ingest(
            store,
            _Given(good),
            clock=clock,
            new_id=lambda: secrets.token_hex(8),
            on_progress=None,
            reject_folder=store.home / "rejects",
            command=Command("ingest", {"source": "events"}, "api"),
        )
        dropped = rejects.keep(bad)
    except StoreError as error:
        raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, error.what, _RETRY_S) from error
    file = str(rejects.path) if len(bad) > dropped else ""
    counts = {"rejected": len(bad), "reject_file": file, "dropped": dropped}
    return asdict(result) | counts
