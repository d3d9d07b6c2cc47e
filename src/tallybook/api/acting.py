"""A request that acts or asks as somebody: let in, read, carried out in a thread, answered.

Who acts is declared in ``X-Tallybook-Actor``, as ``--as`` declares it to commands: the token
says what a request may do, the header on whose behalf. A token that has a name needs no header, and
no header gives it another. A body is one JSON object; a form that a
browser sends without asking (no ``application/json``) is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any, Final, TypeVar

import msgspec
from anyio import to_thread
from fastapi import Request, Response
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect

from tallybook.api.body import read_body
from tallybook.api.guard import Guard
from tallybook.api.model import Refusal, Scope, Token
from tallybook.api.refused import refused
from tallybook.errors import (
    BooksError,
    BudgetError,
    MoneyError,
    PeriodError,
    PriceError,
    RangeError,
    StoreError,
    TallybookError,
    WrongUsageError,
)

Form = TypeVar("Form", bound=msgspec.Struct)
Work = Callable[[], Any]

ACTOR: Final = "x-tallybook-actor"
JSON: Final = "application/json"
BODY_BYTES: Final = 64 * 1024
_RETRY_S: Final = 5
_ACTOR_MAX: Final = 200
_STATUS: Final[Sequence[tuple[type[TallybookError], HTTPStatus]]] = (
    (WrongUsageError, HTTPStatus.BAD_REQUEST),
    (MoneyError, HTTPStatus.BAD_REQUEST),
    (BudgetError, HTTPStatus.CONFLICT),
    (PeriodError, HTTPStatus.CONFLICT),
    (BooksError, HTTPStatus.CONFLICT),
    (PriceError, HTTPStatus.CONFLICT),
)


async def answered(
    request: Request, guard: Guard, scope: Scope, work: Work, status: int = HTTPStatus.OK
) -> Response:
    """The answer to a request that only asks; never cached, for what it says is of now."""
    try:
        guard.check(request.headers.get("authorization", ""), scope)
        values = await to_thread.run_sync(carried_out, work)
    except Refusal as refusal:
        return refused(refusal)
    return JSONResponse(values, status, {"Cache-Control": "no-store"})


async def acted(
    request: Request,
    guard: Guard,
    scope: Scope,
    form: type[Form],
    work: Callable[[str, Form], Any],
    status: int = HTTPStatus.OK,
) -> Response:
    """The answer to a request that acts: ``work`` gets who acts and the body in its form."""
    try:
        token = guard.check(request.headers.get("authorization", ""), scope)
        actor = _actor(request, token)
        told = await _form(request, form)
        values = await to_thread.run_sync(carried_out, partial(work, actor, told))
    except ClientDisconnect:
        return Response(status_code=HTTPStatus.BAD_REQUEST)
    except Refusal as refusal:
        return refused(refusal)
    return JSONResponse(values, status, {"Cache-Control": "no-store"})


def carried_out(work: Work) -> Any:
    """Do it; what the books refuse is refused here.

    Raises:
        Refusal: with the error's own words.
    """
    try:
        return work()
    except RangeError as error:
        raise Refusal(HTTPStatus.BAD_REQUEST, str(error)) from error
    except StoreError as error:
        raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, str(error), _RETRY_S) from error
    except OSError as error:
        raise Refusal(
            HTTPStatus.SERVICE_UNAVAILABLE, f"could not write: {error.strerror or error}", _RETRY_S
        ) from error
    except TallybookError as error:
        found = (status for kind, status in _STATUS if isinstance(error, kind))
        raise Refusal(next(found, HTTPStatus.CONFLICT), str(error)) from error


def _actor(request: Request, token: Token) -> str:
    try:  # a header comes as bytes, and a name is the same as the command line has it
        told = request.headers.get(ACTOR, "").encode("latin-1").decode()
    except UnicodeDecodeError as error:
        raise Refusal(HTTPStatus.BAD_REQUEST, "X-Tallybook-Actor is not UTF-8 text") from error
    actor = told.strip() or token.actor
    if token.actor and actor != token.actor:
        raise Refusal(HTTPStatus.FORBIDDEN, f"this token acts as {token.actor}, and as nobody else")
    if not actor or len(actor) > _ACTOR_MAX or not actor.isprintable():
        raise Refusal(HTTPStatus.BAD_REQUEST, "say who acts: X-Tallybook-Actor: NAME")
    return actor


async def _form(request: Request, form: type[Form]) -> Form:
    told = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if told != JSON:
        raise Refusal(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Content-Type is {told[:50]!r}; it is {JSON}"
        )
    body = await read_body(request.stream(), BODY_BYTES)
    try:
        made = msgspec.json.decode(body or b"{}", type=form)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Refusal(HTTPStatus.BAD_REQUEST, f"the body is not understood: {error}") from error
    # PostgreSQL has no text that holds it, and what is kept must be kept by either store.
    if any("\0" in value for value in msgspec.structs.astuple(made) if isinstance(value, str)):
        raise Refusal(HTTPStatus.BAD_REQUEST, "a text of the body holds the character U+0000")
    return made
