"""``POST /v1/notices``: what gateways did at limits, kept once; nothing of a body that is not theirs."""

from __future__ import annotations

import json

import pytest

from asgi import asked
from tallybook.api.app import make_app
from tallybook.api.model import Limits
from tallybook.clock import FixedClock, Period
from tallybook.errors import StoreError
from tallybook.store.notices import notices_of

NOTICE = {
    "notice_id": "n1",
    "at_us": 5,
    "period": "2026-10",
    "budget": "feature:bot",
    "act": "stop",
    "calls": 3,
    "estimate_nano": 7,
}
LINES = {"content-type": "application/x-ndjson"}


def lines(*notices):
    return b"".join(json.dumps(one).encode() + b"\n" for one in notices)


@pytest.fixture
def post(store):
    def posted(*bodies, **settings):
        app = make_app(store, clock=FixedClock(1), **settings)
        found = asked(app, *(("POST", "/v1/notices", LINES, body) for body in bodies))
        return [(one.status, json.loads(one.body)) for one in found]

    return posted


def kept(store):
    with store.read() as tx:
        return [(row.notice_id, row.act, row.calls) for row in notices_of(tx, Period(2026, 10))]


def test_a_body_of_more_lines_than_are_taken_is_refused_whole(post, store):
    limits = Limits(request_lines=2)
    ((status, answer),) = post(lines(NOTICE) + b"\n\n", limits=limits)
    assert (status, kept(store)) == (413, [])
    assert "more than 2 lines; send fewer at a time" in answer["error"]
    assert post(lines(NOTICE) + b"\n", limits=limits) == [(200, {"accepted": 1, "duplicate": 0})]


def test_notices_come_in_once(post, store):
    body = lines(NOTICE, NOTICE | {"notice_id": "n2", "act": "warn", "calls": 0})
    first, again = post(body, body + b"\n\n")
    assert first == (200, {"accepted": 2, "duplicate": 0})
    assert again == (200, {"accepted": 0, "duplicate": 2})
    with store.read() as tx:
        rows = tx.rows("SELECT name, args, actor, outcome FROM command")
    assert [tuple(row) for row in rows] == [("ingest", '{"source":"notices"}', "api", "2 notices")]
    assert kept(store) == [("n1", "stop", 3), ("n2", "warn", 0)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"act": "burn"},
        {"period": "October"},
        {"calls": -1},
        {"spent_nano": 2**63},
        {"reason": "x" * 2_001},
        {"notice_id": ""},
        {"customer": "somebody"},
    ],
)
def test_a_body_with_a_line_that_is_no_notice_is_refused_whole(post, store, wrong):
    ((status, told),) = post(lines(NOTICE, NOTICE | {"notice_id": "n2"} | wrong))
    assert (status, "line 2" in told["error"]) == (422, True)
    assert kept(store) == []


def test_a_store_that_is_gone_asks_to_come_again(post, store, monkeypatch):
    def fails():
        raise StoreError("the disk is full")

    monkeypatch.setattr(store, "write", fails)
    assert post(lines(NOTICE))[0][0] == 503


@pytest.mark.parametrize("told", [{}, {"content-type": "text/plain"}])
def test_what_a_page_of_another_site_may_send_is_refused(store, told):
    app = make_app(store, clock=FixedClock(1))
    (answer,) = asked(app, ("POST", "/v1/notices", told, lines(NOTICE)))
    assert (answer.status, kept(store)) == (415, [])
