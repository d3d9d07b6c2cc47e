"""The application: routes over one set of books."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

from anyio import to_thread
from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse

from tallybook import __version__
from tallybook.api.budgets import budgets_router, requests_router
from tallybook.api.events import events_router
from tallybook.api.guard import OPEN, Guard
from tallybook.api.intake import Intake
from tallybook.api.keys import keys_router
from tallybook.api.live import Keeper, live_router
from tallybook.api.model import Limits
from tallybook.api.notices import notices_router
from tallybook.api.traces import traces_router
from tallybook.clock import Clock
from tallybook.errors import StoreError
from tallybook.meter.rejects import Rejects
from tallybook.store import Store


def make_app(
    store: Store, *, clock: Clock, guard: Guard = OPEN, limits: Limits | None = None
) -> FastAPI:
    """An application that takes spans into the books, and tells what they cost by now.

    Args:
        store: open books.
        clock: when events are received.
        guard: who may do what; without one everybody may do everything.
        limits: how much is taken.
    """
    bounds, folder = limits or Limits(), store.home / "rejects"
    intake = Intake(
        store,
        clock=clock,
        new_id=lambda: secrets.token_hex(8),
        reject_folder=folder,
        limits=bounds,
    )

    keeper, rejects = Keeper(store, clock), Rejects(folder, "events")

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        with closing(rejects), intake.running(), keeper.running():
            yield

    app = FastAPI(
        title="Tallybook",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.include_router(traces_router(intake, bounds, guard))
    app.include_router(events_router(store, clock, rejects, bounds, guard))
    app.include_router(notices_router(store, clock, bounds, guard))
    app.include_router(live_router(store, keeper, guard))
    app.include_router(budgets_router(store, clock, guard))
    app.include_router(requests_router(store, clock, guard))
    app.include_router(keys_router(store, clock, guard))

    @app.get("/healthz")
    async def health() -> Response:
        try:
            await to_thread.run_sync(_look, store)
        except StoreError as error:
            return JSONResponse({"status": "failing", "reason": error.what}, 503)
        if not intake.alive:
            return JSONResponse({"status": "failing", "reason": "nobody writes"}, 503)
        return JSONResponse({"status": "ok", "version": __version__})

    return app


def _look(store: Store) -> None:
    with store.read() as tx:
        tx.scalar("SELECT 1")
