"""``/v1/keys``: the gateway's keys are issued, rotated and revoked; a secret is told once.

The keys are those of the file that a gateway on this machine reads: ``gateway/keys.json`` in the
books, as ``tallybook key`` has it. Who acted is in the command log; no secret is, nor in any log.
"""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import Any, Literal

import msgspec
from fastapi import APIRouter, Request, Response

from tallybook.api.acting import acted, answered
from tallybook.api.guard import Guard
from tallybook.clock import Clock, parse_instant
from tallybook.errors import ClockError, WrongUsageError
from tallybook.gateway import issuing, keyring
from tallybook.gateway.model import VirtualKey
from tallybook.store import Store


class Issued(msgspec.Struct, forbid_unknown_fields=True):
    """A key to issue: its scopes are names or globs, none of a kind means any."""

    id: str
    teams: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    upstreams: tuple[str, ...] = ()
    expires: str = ""
    untagged: Literal["", "refuse", "admit"] = ""


class Rotated(msgspec.Struct, forbid_unknown_fields=True):
    """How long the old secret holds on; ``expires`` gives the key another end."""

    overlap_hours: int = 24
    expires: str = ""


class Nothing(msgspec.Struct, forbid_unknown_fields=True):
    """An empty body."""


def keys_router(store: Store, clock: Clock, guard: Guard, path: Path | None = None) -> APIRouter:
    """The routes.

    Args:
        store: open books.
        clock: what now is.
        guard: who may.
        path: of the key file, else the one in the books.
    """
    router = APIRouter()
    file = path or store.home / "gateway" / "keys.json"

    @router.get("/v1/keys")
    async def listed(request: Request) -> Response:
        return await answered(
            request, guard, "keys", lambda: [keyring.row_of(one) for one in keyring.read_keys(file)]
        )

    @router.post("/v1/keys")
    async def issued(request: Request) -> Response:
        def work(actor: str, told: Issued) -> Any:
            return _issue(store, file, actor, told, clock.now_us())

        return await acted(request, guard, "keys", Issued, work, HTTPStatus.CREATED)

    @router.post("/v1/keys/{key_id}/rotate")
    async def rotated(request: Request, key_id: str) -> Response:
        def work(actor: str, told: Rotated) -> Any:
            return _rotate(store, file, actor, key_id, told, clock.now_us())

        return await acted(request, guard, "keys", Rotated, work)

    @router.post("/v1/keys/{key_id}/revoke")
    async def revoked(request: Request, key_id: str) -> Response:
        def work(actor: str, _told: Nothing) -> Any:
            count = issuing.revoke(store, file, key_id, actor, clock.now_us())
            return {"id": key_id, "revoked": count}

        return await acted(request, guard, "keys", Nothing, work)

    return router


def _issue(store: Store, file: Path, actor: str, told: Issued, now_us: int) -> dict[str, Any]:
    key = VirtualKey(
        id=told.id,
        digest="",
        hint="",
        issued_us=now_us,
        teams=told.teams,
        features=told.features,
        purposes=told.purposes,
        models=told.models,
        upstreams=told.upstreams,
        untagged=told.untagged,
        expires_us=_instant(told.expires),
    )
    secret = issuing.issue(store, file, key, actor)
    return {**keyring.row_of(key), "hint": secret[-4:], "secret": secret}


def _rotate(
    store: Store, file: Path, actor: str, key_id: str, told: Rotated, now_us: int
) -> dict[str, Any]:
    secret, made = issuing.rotate(
        store,
        file,
        key_id,
        overlap_hours=told.overlap_hours,
        expires_us=_instant(told.expires),
        actor=actor,
        now_us=now_us,
    )
    return {**keyring.row_of(made), "secret": secret}


def _instant(text: str) -> int:
    if not text:
        return 0
    try:
        return parse_instant(text if "T" in text else f"{text}T00:00:00Z")
    except ClockError as error:
        raise WrongUsageError(
            f"{text!r} is no instant", next_step="write a day: 2027-01-01"
        ) from error
