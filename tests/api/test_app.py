"""The application: its routes, its health."""

from __future__ import annotations

import asyncio
import json

from asgi import ask, asked
from tallybook.api.app import make_app
from tallybook.clock import FixedClock
from tallybook.errors import StoreError


def test_other_paths_and_methods(store):
    app = make_app(store, clock=FixedClock(1))
    answers = asked(app, ("GET", "/v1/traces"), ("POST", "/v1/logs"), ("GET", "/healthz"))
    assert [one.status for one in answers] == [405, 404, 200]
    assert json.loads(answers[2].body)["status"] == "ok"


def test_health_tells_of_books_that_cannot_be_read(store):
    class Broken:
        home = store.home
        held_open = store.held_open

        def read(self):
            raise StoreError("the book file is damaged")

    (answer,) = asked(make_app(Broken(), clock=FixedClock(1)), ("GET", "/healthz"))
    assert (answer.status, json.loads(answer.body)["reason"]) == (503, "the book file is damaged")


def test_health_tells_of_an_intake_that_is_dead(store):
    # Nothing started it: the application is asked without having been begun.
    answer = asyncio.run(ask(make_app(store, clock=FixedClock(1)), "GET", "/healthz"))
    assert (answer.status, json.loads(answer.body)["reason"]) == (503, "nobody writes")
