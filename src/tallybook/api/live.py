"""``GET /v1/live`` and ``GET /v1/alerts``: what usage costs now, and what runs away.

While the server runs, one thread takes in what comes a few times a second, so that an answer has
little to take in. Both answers are provisional and say so.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from threading import Event, Lock, Thread
from typing import Any, Final

from anyio import to_thread
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from tallybook.api.acting import answered
from tallybook.api.guard import Guard
from tallybook.api.model import Refusal
from tallybook.api.refused import refused
from tallybook.clock import Clock
from tallybook.errors import BooksError, TallybookError
from tallybook.live.alerts import alerts
from tallybook.live.answer import ROWS_SHOWN
from tallybook.live.form import alert_values, live_values
from tallybook.live.look import Watch
from tallybook.store import Store

KEEP_UP_S: Final = 0.25
ASKED_S: Final = 600
"""So long after the last question the thread keeps up; then it rests until somebody asks."""
_RETRY_S: Final = 5
_LOG = logging.getLogger(__name__)


class Keeper:
    """Keeps a watch that many requests share, each in turn.

    Args:
        store: open books.
        clock: what now is.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._lock = Lock()
        self._stop = Event()
        self._asked = Event()
        self._watch: Watch | None = None

    @contextmanager
    def running(self) -> Iterator[Keeper]:
        """Keep up until the block ends."""
        thread = Thread(target=self._run, name="live", daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            self._asked.set()
            thread.join()
            with self._lock:
                if self._watch is not None:
                    self._watch.close()

    def live(self, most: int) -> dict[str, Any]:
        """The answer, after everything that came was taken in."""
        with self._lock:
            values = live_values(self._opened().look(most).live)
        self._asked.set()
        return values

    def _opened(self) -> Watch:
        if self._watch is None:
            self._watch = Watch(self._store, self._clock)
        return self._watch

    def _run(self) -> None:
        while self._asked.wait() and not self._stop.is_set():
            rests = 0
            while rests * KEEP_UP_S < ASKED_S and not self._stop.wait(KEEP_UP_S):
                rests = 0 if self._asked.is_set() else rests + 1
                self._asked.clear()
                self._keep_up()

    def _keep_up(self) -> None:
        try:
            with self._lock:
                self._opened().keep_up()
        except TallybookError as error:  # whoever asks is told the same
            _LOG.warning("live: %s", error)


def live_router(store: Store, keeper: Keeper, guard: Guard) -> APIRouter:
    """The routes.

    Args:
        store: open books.
        keeper: of the watch.
        guard: who may.
    """
    router = APIRouter()

    @router.get("/v1/live")
    async def live(request: Request) -> Response:
        try:
            guard.check(request.headers.get("authorization", ""), "read")
            most = _whole(request.query_params.get("top", str(ROWS_SHOWN)), "top")
            values = await to_thread.run_sync(_told, keeper.live, most)
        except Refusal as refusal:
            return refused(refusal)
        return JSONResponse(values)

    @router.get("/v1/alerts")
    async def given(request: Request) -> Response:
        every = request.query_params.get("all", "") in ("1", "true")

        def work() -> list[dict[str, Any]]:
            return [alert_values(one) for one in alerts(store, every=every)]

        return await answered(request, guard, "read", work)

    return router


def _told(answer: Any, most: int) -> dict[str, Any]:
    try:
        values: dict[str, Any] = answer(most)
    except BooksError as error:
        raise Refusal(HTTPStatus.CONFLICT, str(error)) from error
    except TallybookError as error:
        raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, str(error), _RETRY_S) from error
    return values


def _whole(text: str, name: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 6:  # noqa: PLR2004 - a million rows
        raise Refusal(
            HTTPStatus.BAD_REQUEST, f"{name} is {text[:20]!r}; it is a whole number, 0 for all"
        )
    return int(text)
