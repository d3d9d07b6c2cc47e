"""``POST /v1/events``: in the books before it is answered, once however often it comes."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from asgi import asked
from tallybook.api.app import make_app
from tallybook.api.guard import Guard, tokens_of
from tallybook.api.model import Limits
from tallybook.clock import FixedClock
from tallybook.errors import EventError, StoreError

NDJSON = {"content-type": "application/x-ndjson"}
EVENT = {
    "event_id": "e1",
    "source": "sdk",
    "started_at": "2026-10-03T10:00:00Z",
    "provider": "openai",
    "model": "gpt-4o",
    "tokens": {"output": 1},
}


def lines(*events):
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


@pytest.fixture
def post(store):
    def posted(*requests, **settings):
        app = make_app(store, clock=FixedClock(1_790_900_100_000_000), **settings)
        answers = asked(app, *(("POST", "/v1/events", *one) for one in requests))
        return [(one.status, json.loads(one.body)) for one in answers]

    return posted


def test_events_come_in_once(post, claims):
    body = lines(EVENT, EVENT | {"event_id": "e2"})
    first, again = post((NDJSON, body), (NDJSON, body))
    nothing = {"quarantined": 0, "rejected": 0, "reject_file": "", "dropped": 0}
    assert first == (200, {"accepted": 2, "duplicate": 0, **nothing})
    assert again == (200, {"accepted": 0, "duplicate": 2, **nothing})
    assert claims() == 2


def test_packed_bodies_and_empty_ones(post):
    packed = (NDJSON | {"content-encoding": "gzip"}, gzip.compress(lines(EVENT), mtime=0))
    answers = post(packed, (NDJSON, b"\n\n"))
    assert [answer["accepted"] for _, answer in answers] == [1, 0]


def test_what_cannot_be_read_is_kept_with_its_line_and_the_rest_goes_in(post, store):
    ((status, answer),) = post((NDJSON, lines(EVENT) + b"{oops\n" + lines({"event_id": "e3"})))
    assert (status, answer["accepted"], answer["rejected"]) == (200, 1, 2)
    kept = [json.loads(line) for line in Path(answer["reject_file"]).read_text().splitlines()]
    assert [one["place"] for one in kept] == ["body:2", "body:3"]


def test_what_finds_no_room_among_the_rejected_is_told_and_the_rest_goes_in(post, monkeypatch):
    monkeypatch.setattr("tallybook.meter.rejects.KEPT_BYTES", 1)
    first, second = post((NDJSON, b"{oops\n{oops\n"), (NDJSON, b"{oops\n" + lines(EVENT)))
    assert [answer["dropped"] for _, answer in (first, second)] == [1, 1]
    assert Path(first[1]["reject_file"]).read_text().count("\n") == 1
    assert (second[1]["accepted"], second[1]["rejected"], second[1]["reject_file"]) == (1, 1, "")


def test_a_body_of_more_lines_than_are_taken_is_refused_whole(post, claims):
    limits = Limits(request_lines=2)
    ((status, answer),) = post((NDJSON, lines(EVENT) + b"\n\n"), limits=limits)
    assert (status, claims()) == (413, 0)
    assert "more than 2 lines; send fewer at a time" in answer["error"]
    ((status, _),) = post((NDJSON, lines(EVENT) + b"\n"), limits=limits)
    assert (status, claims()) == (200, 1)


def test_a_line_that_is_too_long_for_an_event_is_rejected_unread(post, monkeypatch):
    monkeypatch.setattr("tallybook.api.events.read_line", None)
    ((_, answer),) = post((NDJSON, lines(EVENT)), limits=Limits(line_bytes=100))
    kept = json.loads(Path(answer["reject_file"]).read_text())
    assert (answer["rejected"], kept["place"]) == (1, "body:1")
    assert "bytes; an event has at most 100" in kept["reason"]
    assert json.loads(kept["record"]) == EVENT


def test_lines_that_cannot_be_read_are_not_held_together(post, monkeypatch):
    """Held until the end of the body, three megabytes of them took two gigabytes."""
    held = [0]

    class FaultError(EventError):
        def __init__(self, what):
            super().__init__(what)
            held.append(held[-1] + 1)

        def __del__(self):
            held.append(held[-1] - 1)

    monkeypatch.setattr("tallybook.api.events.read_line", lambda line: (line, FaultError("unread")))
    ((_, answer),) = post((NDJSON, b"{}\n" * 100))
    assert (answer["rejected"], answer["dropped"]) == (100, 0)
    assert max(held) <= 3


def test_the_same_id_with_another_record_is_put_aside(post):
    other = lines(EVENT | {"model": "gpt-5"})
    answers = post((NDJSON, lines(EVENT)), (NDJSON, other))
    assert answers[1][1]["quarantined"] == 1


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": "text/csv"}, 415),
        ({}, 415),
        (NDJSON | {"content-encoding": "br"}, 415),
    ],
)
def test_other_forms_are_refused(post, headers, status):
    ((found, answer),) = post((headers, lines(EVENT)))
    assert found == status
    assert answer["error"]


def test_a_token_opens(post, claims):
    wrong, right = post(
        (NDJSON, lines(EVENT)),
        (NDJSON | {"authorization": "Bearer t"}, lines(EVENT)),
        guard=Guard(tokens_of("t")),
    )
    assert (wrong[0], right[0], claims()) == (401, 200, 1)


def test_a_body_beyond_the_limit_is_refused(post):
    ((status, _),) = post((NDJSON, lines(EVENT)), limits=Limits(body_bytes=10))
    assert status == 413


def test_books_that_refuse_are_asked_again_later(post, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise StoreError("the disk is full")

    monkeypatch.setattr("tallybook.api.events.ingest", refuse)
    ((status, answer),) = post((NDJSON, lines(EVENT)))
    assert (status, answer) == (503, {"error": "the disk is full"})
