"""`GET /v1/live` and `GET /v1/alerts`: guarded, provisional, with what came a moment ago."""

from __future__ import annotations

import asyncio
import json

import pytest

from asgi import ask, asked, lived
from company import PRICES, Company, org, policy, usage
from tallybook.api import make_app
from tallybook.api.guard import Guard, tokens_of
from tallybook.api.model import Refusal
from tallybook.api.refused import refused
from tallybook.errors import StoreError

SECRET = {"authorization": "Bearer s3cret"}


@pytest.fixture
def acme(tmp_path):
    made = Company(tmp_path, now="2026-10-03T10:30:00Z")
    made.apply(org=org(), policy=policy(), prices=PRICES)
    yield made
    made.store.close()


def test_both_want_a_token(acme):
    app = make_app(acme.store, clock=acme.clock, guard=Guard(tokens_of("s3cret")))
    answers = asked(app, ("GET", "/v1/live", {}), ("GET", "/v1/alerts", {}))
    assert [one.status for one in answers] == [401, 401]
    assert answers[0].headers["www-authenticate"] == "Bearer"


def test_an_answer_holds_what_came_a_moment_ago(acme):
    app = make_app(acme.store, clock=acme.clock, guard=Guard(tokens_of("s3cret")))

    async def day():
        async with lived(app):
            before = await ask(app, "GET", "/v1/live", SECRET)
            line = json.dumps(usage("e-1")).encode()
            told = {**SECRET, "content-type": "application/x-ndjson"}
            await ask(app, "POST", "/v1/events", told, line)
            after = await ask(app, "GET", "/v1/live", SECRET)
            alerts = await ask(app, "GET", "/v1/alerts", SECRET)
            return [json.loads(one.body) for one in (before, after, alerts)]

    before, after, alerts = asyncio.run(day())
    assert before["month_to_date"]["calls"] == 0
    assert after["month_to_date"]["calls"] == after["waiting"]["calls"] == 1
    assert after["last_hour"]["cost"] == "1.000000000000"
    assert "provisional" in after["provisional"]
    assert alerts == []


def test_a_store_that_is_gone_asks_to_come_again(acme, monkeypatch):
    def fails(*_args, **_kwargs):
        raise StoreError("the database went away")

    monkeypatch.setattr("tallybook.api.live.alerts", fails)
    (answer,) = asked(make_app(acme.store, clock=acme.clock), ("GET", "/v1/alerts", {}))
    assert (answer.status, answer.headers["retry-after"]) == (503, "5")


def test_how_many_are_listed_is_a_whole_number(acme):
    app = make_app(acme.store, clock=acme.clock)
    (wrong,) = asked(app, ("GET", "/v1/live?top=many", {}))
    assert wrong.status == 400
    assert "top is 'many'" in json.loads(wrong.body)["error"]


def test_books_without_policy_files_say_what_to_do(tmp_path):
    empty = Company(tmp_path)
    (answer,) = asked(make_app(empty.store, clock=empty.clock), ("GET", "/v1/live", {}))
    assert answer.status == 409
    assert "tallybook apply" in json.loads(answer.body)["error"]


def test_a_refusal_says_when_to_come_again():
    answer = refused(Refusal(503, "full", 5))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "retry-after" not in refused(Refusal(400, "no")).headers
