"""Books, an application over them, and what came in."""

from __future__ import annotations

import pytest

from asgi import asked
from tallybook.api import make_app
from tallybook.clock import FixedClock

NOW_US = 1_790_900_100_000_000
JSON = {"content-type": "application/json"}
PROTOBUF = {"content-type": "application/x-protobuf"}


@pytest.fixture
def store(new_store):
    return new_store()


@pytest.fixture
def claims(store):
    """The number of ids that are claimed."""

    def count():
        with store.read() as tx:
            return tx.scalar("SELECT COUNT(*) FROM claim")

    return count


@pytest.fixture
def posted(store):
    """``posted((headers, *chunks), ..., guard=, limits=)``: answers of ``POST /v1/traces``."""

    def post(*requests, **settings):
        app = make_app(store, clock=FixedClock(NOW_US), **settings)
        return asked(app, *(("POST", "/v1/traces", *one) for one in requests))

    return post
