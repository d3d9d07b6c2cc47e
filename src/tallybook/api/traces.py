"""``POST /v1/traces``: spans in, and an answer only after they are on the disk."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from http import HTTPStatus
from typing import Final

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect

from tallybook.api.body import read_body, too_many, unpacked
from tallybook.api.guard import Guard
from tallybook.api.intake import Full, Intake
from tallybook.api.model import Limits, Refusal
from tallybook.api.otlp import (
    TYPES,
    Form,
    expect_few,
    failure,
    form_of,
    spans_in,
    success,
)
from tallybook.errors import EventError, StoreError
from tallybook.meter.sources.otel.model import Broken, Span
from tallybook.meter.sources.otel.readings import readings_of
from tallybook.meter.sources.source import Reading

_AT_ONCE: Final = 2
_RETRY_BUSY_S, _RETRY_LOCKED_S, _RETRY_STORE_S = 2, 5, 30
_TOLD_FAULTS, _TOLD_CHARACTERS = 5, 300


def traces_router(intake: Intake, limits: Limits, guard: Guard) -> APIRouter:
    """The route, writing through an intake.

    Args:
        intake: running.
        limits: of a request.
        guard: who may.
    """
    router = APIRouter()
    reading = CapacityLimiter(_AT_ONCE)  # bodies that are unpacked and parsed at once

    @router.post("/v1/traces")
    async def traces(request: Request) -> Response:
        form: Form = "json"
        try:
            guard.check(request.headers.get("authorization", ""), "ingest")
            form = form_of(request.headers.get("content-type", ""))
            body = await read_body(request.stream(), limits.body_bytes)
            encoding = request.headers.get("content-encoding", "")
            readings = await to_thread.run_sync(
                _read, body, encoding, form, limits, limiter=reading
            )
            dropped = await _written(intake, readings, limits.wait_s)
        except ClientDisconnect:
            return Response(status_code=HTTPStatus.BAD_REQUEST)
        except Refusal as refusal:
            return _refused(form, refusal)
        faults = [one for one in readings if isinstance(one.event, EventError)]
        content = success(form, len({one.place for one in faults}), _message(faults, dropped))
        return Response(content, media_type=TYPES[form])

    return router


def _read(body: bytes, encoding: str, form: Form, limits: Limits) -> list[Reading]:
    plain = unpacked(body, encoding, limits.unpacked_bytes)
    expect_few(plain, form, limits)
    return list(readings_of("span", _bounded(spans_in(plain, form), limits.request_spans)))


def _bounded(spans: Iterable[Span | Broken], limit: int) -> Iterator[Span | Broken]:
    for number, span in enumerate(spans, 1):
        if number > limit:
            raise too_many(limit, "spans")
        yield span


async def _written(intake: Intake, readings: Sequence[Reading], wait_s: float) -> int:
    """Wait until the readings are on the disk; how many that cannot be read found no room there.

    Raises:
        Refusal: they are not, and may come again.
    """
    if not readings:
        return 0
    try:
        done = intake.submit(readings)
        return await asyncio.wait_for(asyncio.wrap_future(done), wait_s)
    except Full:
        raise Refusal(
            HTTPStatus.TOO_MANY_REQUESTS, "too much waits to be written", _RETRY_BUSY_S
        ) from None
    except TimeoutError:
        raise Refusal(
            HTTPStatus.SERVICE_UNAVAILABLE, "another command is writing to the books",
            _RETRY_LOCKED_S,
        ) from None  # fmt: skip
    except StoreError as error:
        raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, error.what, _RETRY_STORE_S) from error


def _message(faults: Sequence[Reading], dropped: int) -> str:
    told = [f"{one.place}: {getattr(one.event, 'what', '')}" for one in faults[:_TOLD_FAULTS]]
    more = f"; and {len(faults) - _TOLD_FAULTS} more" if len(faults) > _TOLD_FAULTS else ""
    lost = f"; {dropped} were not kept: there is no room among the rejected" if dropped else ""
    return "; ".join(text[:_TOLD_CHARACTERS] for text in told) + more + lost


def _refused(form: Form, refusal: Refusal) -> Response:
    headers = {}
    if refusal.retry_after_s is not None:
        headers["Retry-After"] = str(refusal.retry_after_s)
    if refusal.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(failure(form, refusal.message), refusal.status, headers, media_type=TYPES[form])
