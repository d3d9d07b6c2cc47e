"""``/v1/keys``: the gateway's keys are issued, rotated and revoked; a secret is told once.

The keys are those of the file that a gateway on this machine reads: ``gateway/keys.json`` in the
books, as ``tallybook key`` has it. Who acted is in the command log; no secret is, nor in any log.
"""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
from fastapi import APIRouter, Request, Response

from tallybook.api.acting import acted, answered
from tallybook.api.guard import Guard
from tallybook.clock import Clock, parse_instant
from tallybook.errors import ClockError, WrongUsageError
from tallybook.gateway import keyring
from tallybook.gateway.model import VirtualKey
from tallybook.store import Store, Tx
from tallybook.store.commands import Command, log_command

HOUR_US: Final = 3_600_000_000
HOURS_MAX: Final = 24 * 90


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
            now_us = clock.now_us()
            # Ended in any case, be the books as they may.
            count = keyring.revoke(file, key_id, now_us)
            with store.write() as tx:
                _log(tx, "key revoke", {"id": key_id}, actor, now_us, f"{count} secrets")
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
    # The books first: where they cannot be written, no secret is made that nobody learns.
    with store.write() as tx:
        secret = keyring.issue(file, key)
        _log(tx, "key issue", msgspec.to_builtins(told), actor, now_us, f"ends in {secret[-4:]}")
    return {**keyring.row_of(key), "hint": secret[-4:], "secret": secret}


def _rotate(
    store: Store, file: Path, actor: str, key_id: str, told: Rotated, now_us: int
) -> dict[str, Any]:
    if not 0 <= told.overlap_hours <= HOURS_MAX:
        raise WrongUsageError(
            f"an overlap of {told.overlap_hours} hours", next_step=f"give 0 to {HOURS_MAX}"
        )
    changes = {"expires_us": _instant(told.expires)} if told.expires else {}
    overlap_us = told.overlap_hours * HOUR_US
    args = {"id": key_id, **msgspec.to_builtins(told)}
    with store.write() as tx:
        secret, made = keyring.rotate(file, key_id, now_us, overlap_us, **changes)
        _log(tx, "key rotate", args, actor, now_us, f"ends in {secret[-4:]}")
    return {**keyring.row_of(made), "secret": secret}


def _log(tx: Tx, name: str, args: dict[str, Any], actor: str, now_us: int, outcome: str) -> None:
    log_command(tx, Command(name, args, actor), now_us, {}, outcome)


def _instant(text: str) -> int:
    if not text:
        return 0
    try:
        return parse_instant(text if "T" in text else f"{text}T00:00:00Z")
    except ClockError as error:
        raise WrongUsageError(
            f"{text!r} is no instant", next_step="write a day: 2027-01-01"
        ) from error
