"""``POST /v1/notices``: what gateways did at limits, one JSON object a line, each kept once.

The answer comes after they are on the disk. A body in which one line is no notice is refused whole:
gateways write them, so nothing of it is to be trusted.
"""

from __future__ import annotations

from http import HTTPStatus
from io import BytesIO
from typing import Annotated, Final

import msgspec
from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect

from tallybook.api.body import expect_few_lines, expect_lines, read_body, unpacked
from tallybook.api.guard import Guard
from tallybook.api.model import Limits, Refusal
from tallybook.api.refused import refused
from tallybook.budget.model import Act
from tallybook.clock import Clock
from tallybook.errors import StoreError
from tallybook.store import Store
from tallybook.store.commands import Command, log_command
from tallybook.store.notices import put_notices

_RETRY_S: Final = 5
_Text = Annotated[str, msgspec.Meta(max_length=2_000)]
_Whole = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
_Month = Annotated[str, msgspec.Meta(pattern=r"^([0-9]{4}-(0[1-9]|1[0-2]))?$")]


class Told(msgspec.Struct, forbid_unknown_fields=True):
    """A `tallybook.budget.model.Notice`, as it may come: no longer and no larger than is kept."""

    notice_id: Annotated[str, msgspec.Meta(min_length=1, max_length=400)]
    at_us: _Whole
    period: _Month
    budget: _Text
    act: Act
    team: _Text = ""
    feature: _Text = ""
    key_id: _Text = ""
    model: _Text = ""
    instead: _Text = ""
    level: _Text = ""
    calls: _Whole = 1
    estimate_nano: _Whole = 0
    limit_nano: _Whole = 0
    spent_nano: _Whole = 0
    reason: _Text = ""


_DECODER: Final = msgspec.json.Decoder(Told)


def notices_router(store: Store, clock: Clock, limits: Limits, guard: Guard) -> APIRouter:
    """The route.

    Args:
        store: open books.
        clock: when they are kept.
        limits: of a request.
        guard: who may.
    """
    router = APIRouter()
    writing = CapacityLimiter(1)  # one body is unpacked, read and written at a time

    @router.post("/v1/notices")
    async def notices(request: Request) -> Response:
        try:
            guard.check(request.headers.get("authorization", ""), "ingest")
            expect_lines(request.headers.get("content-type", ""))
            body = await read_body(request.stream(), limits.body_bytes)
            encoding = request.headers.get("content-encoding", "")
            counts = await to_thread.run_sync(
                _kept, store, clock, body, encoding, limits, limiter=writing
            )
        except ClientDisconnect:
            return Response(status_code=HTTPStatus.BAD_REQUEST)
        except Refusal as refusal:
            return refused(refusal)
        return JSONResponse(counts)

    return router


def _read(body: bytes) -> list[Told]:
    found = []
    for number, line in enumerate(BytesIO(body), 1):
        if not line.strip():
            continue
        try:
            found.append(_DECODER.decode(line))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise Refusal(
                HTTPStatus.UNPROCESSABLE_ENTITY, f"line {number} is no notice: {error}"
            ) from error
    return found


def _kept(store: Store, clock: Clock, body: bytes, encoding: str, limits: Limits) -> dict[str, int]:
    lines = unpacked(body, encoding, limits.unpacked_bytes)
    expect_few_lines(lines, limits.request_lines)
    told = _read(lines)
    try:
        with store.write() as tx:
            kept = put_notices(tx, told)
            if kept:
                command = Command("ingest", {"source": "notices"}, "api")
                log_command(tx, command, clock.now_us(), {}, f"{kept} notices")
    except StoreError as error:
        raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, error.what, _RETRY_S) from error
    return {"accepted": kept, "duplicate": len(told) - kept}
