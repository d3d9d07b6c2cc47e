"""``POST /v1/traces``: 200 means in the books; everything else says what to do."""

from __future__ import annotations

import asyncio
import gzip
import json
import sqlite3

import pytest
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from asgi import ask, asked, lived
from otlp import as_json, as_protobuf, request, span
from tallybook.api import Limits, make_app
from tallybook.api.guard import OPEN, Guard, tokens_of
from tallybook.api.intake import Full
from tallybook.api.traces import traces_router
from tallybook.clock import FixedClock
from tallybook.errors import StoreError
from tallybook.store import Store

JSON = {"content-type": "application/json"}
PROTOBUF = {"content-type": "application/x-protobuf"}
PACKED = PROTOBUF | {"content-encoding": "gzip"}
TWO = request(span(), span("00f067aa0ba902b7"))


@pytest.mark.parametrize(
    ("headers", "body", "form"),
    [
        (JSON, as_json(TWO), "application/json"),
        ({"content-type": "Application/JSON; charset=utf-8"}, as_json(TWO), "application/json"),
        (PROTOBUF, as_protobuf(TWO), "application/x-protobuf"),
        (PACKED, gzip.compress(as_protobuf(TWO), mtime=0), "application/x-protobuf"),
        (
            JSON | {"content-encoding": "gzip"},
            gzip.compress(as_json(TWO), mtime=0),
            "application/json",
        ),
        (
            PACKED,
            gzip.compress(as_protobuf(request(span())), mtime=0)
            + gzip.compress(as_protobuf(request(span("00f067aa0ba902b7"))), mtime=0),
            "application/x-protobuf",
        ),
    ],
    ids=["JSON", "JSON with a charset", "protobuf", "packed", "packed JSON", "packed in two parts"],
)
def test_spans_go_in(posted, claims, headers, body, form):
    (answer,) = posted((headers, body))
    assert (answer.status, answer.headers["content-type"]) == (200, form)
    assert answer.body in {b"", b'{"partialSuccess": {}}'}
    assert claims() == 2


@pytest.mark.both_stores
def test_a_body_may_come_in_pieces(posted, claims):
    body = as_json(TWO)
    (answer,) = posted((JSON, body[:10], body[10:500], body[500:]))
    assert (answer.status, claims()) == (200, 2)


def test_what_comes_again_by_either_wire_counts_once(posted, claims):
    answers = posted((JSON, as_json(TWO)), (PROTOBUF, as_protobuf(TWO)), (JSON, as_json(TWO)))
    assert [one.status for one in answers] == [200, 200, 200]
    assert claims() == 2


def test_spans_that_are_none_are_told_and_the_rest_goes_in(posted, claims, store):
    told = request(span(traceId="0" * 32), span(), span("00f067aa0ba902b7", startTimeUnixNano="0"))
    (answer,) = posted((JSON, as_json(told)))
    partial = json.loads(answer.body)["partialSuccess"]
    assert (answer.status, partial["rejectedSpans"], claims()) == (200, "2", 1)
    assert "traceId is" in partial["errorMessage"]
    assert "startTimeUnixNano is 0" in partial["errorMessage"]
    (kept,) = (store.home / "rejects").glob("otel-*.jsonl")
    assert len(kept.read_text().splitlines()) == 2


def test_a_span_that_is_none_and_is_not_kept_is_told_so(posted, monkeypatch):
    monkeypatch.setattr("tallybook.meter.rejects.KEPT_BYTES", 0)
    (answer,) = posted((JSON, as_json(request(span(startTimeUnixNano="0")))))
    partial = json.loads(answer.body)["partialSuccess"]
    assert partial["rejectedSpans"] == "1"
    assert "; 1 were not kept" in partial["errorMessage"]


def test_partial_success_in_protobuf(posted):
    told = request(span(), *(span(f"{n:016x}", startTimeUnixNano="0") for n in range(1, 9)))
    (answer,) = posted((PROTOBUF, as_protobuf(told)))
    read = ExportTraceServiceResponse.FromString(answer.body)
    assert read.partial_success.rejected_spans == 8
    assert read.partial_success.error_message.endswith("; and 3 more")


def test_nothing_is_nothing(posted, claims):
    for headers, body in ((JSON, b"{}"), (PROTOBUF, b""), (JSON, b'{"resourceSpans": []}')):
        (answer,) = posted((headers, body))
        assert (answer.status, claims()) == (200, 0)


BOMB = gzip.compress(bytes(64 * 1024 * 1024), mtime=0)
REFUSED = {
    "no content type": ({}, b"{}", 415),
    "another content type": ({"content-type": "text/plain"}, b"{}", 415),
    "another encoding": (JSON | {"content-encoding": "br"}, b"{}", 415),
    "two encodings": (JSON | {"content-encoding": "gzip, gzip"}, b"{}", 415),
    "not gzip": (JSON | {"content-encoding": "gzip"}, b"{}", 400),
    "gzip that was cut": (PACKED, gzip.compress(as_protobuf(TWO), mtime=0)[:-9], 400),
    "a zip bomb": (PACKED, BOMB, 413),
    "a bomb of many parts": (PACKED, gzip.compress(bytes(300_000), mtime=0) * 4, 413),
    "too large": (JSON, b" " * 200_000, 413),
    "not JSON": (JSON, b"{", 400),
    "not UTF-8": (JSON, b'{"resourceSpans": "\xff"}', 400),
    "nested too deep": (JSON, b"[" * 90_000, 400),
    "no object": (JSON, b"[]", 400),
    "no request": (JSON, b'{"spans": []}', 400),
    "not protobuf": (PROTOBUF, as_json(TWO), 400),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_request_is_refused(posted, claims, case):
    headers, body, status = REFUSED[case]
    limits = Limits(body_bytes=100_000, unpacked_bytes=1_000_000)
    (answer,) = posted((headers, body), limits=limits)
    assert (answer.status, claims()) == (status, 0)
    assert answer.body
    assert "retry-after" not in answer.headers


@pytest.mark.parametrize(("headers", "body"), [(JSON, as_json(TWO)), (PROTOBUF, as_protobuf(TWO))])
def test_a_body_of_more_spans_than_are_taken_is_refused_whole(posted, claims, headers, body):
    (answer,) = posted((headers, body), limits=Limits(request_spans=1))
    assert (answer.status, claims()) == (413, 0)
    assert b"more than 1 spans; send fewer at a time" in answer.body
    (taken,) = posted((headers, body), limits=Limits(request_spans=2))
    assert (taken.status, claims()) == (200, 2)


@pytest.mark.parametrize(("headers", "body"), [(JSON, as_json(TWO)), (PROTOBUF, as_protobuf(TWO))])
def test_a_body_of_more_values_than_are_taken_is_refused_whole(posted, claims, headers, body):
    (answer,) = posted((headers, body), limits=Limits(request_values=30))
    assert (answer.status, claims()) == (413, 0)
    assert b"more than 30 values: attributes, events and what is in them; send" in answer.body


@pytest.mark.parametrize(
    ("headers", "wire", "body"),
    [
        (JSON, "json_spans", b'{"resourceSpans": [' + b"{}," * 50 + b"{}]}"),
        (PROTOBUF, "proto_spans", b"\x0a\x64" + b"\x12\0" * 50),
        (PROTOBUF, "proto_spans", b"\x0a\x66\x12\x64" + b"\x12\0" * 50),
        (PROTOBUF, "proto_spans", b"\x0a\x68\x12\x66\x12\x64" + b"\x4a\0" * 50),
    ],
    ids=["values of JSON", "scopes", "spans", "attributes"],
)
def test_what_lists_too_much_is_refused_before_it_is_built(
    posted, monkeypatch, headers, wire, body
):
    """Built, empty spans take a hundred times their bytes."""
    monkeypatch.setattr(f"tallybook.meter.sources.otel.{wire}.spans_of", None)
    (answer,) = posted((headers, body), limits=Limits(request_spans=20, request_values=40))
    assert answer.status == 413


def test_half_a_character_loses_no_span(posted, claims):
    body = as_json(TWO).replace(b"refunds", rb"refunds \ud83d")
    (answer,) = posted((JSON, body))
    assert (answer.status, claims()) == (200, 2)


def test_who_has_no_token_is_not_let_in(posted, claims):
    tokens = ("new-token", "old-token")
    guard = Guard(tokens_of("\n".join(tokens)))
    told = [None, "", "Bearer", "Bearer wrong", "Basic new-token", "Bearer new-token2", "new-token"]
    refused = [
        (JSON if one is None else JSON | {"authorization": one}, as_json(TWO)) for one in told
    ]
    answers = posted(*refused, guard=guard)
    assert [one.status for one in answers] == [401] * len(told)
    assert answers[0].headers["www-authenticate"] == "Bearer"
    assert claims() == 0
    good = [(JSON | {"authorization": f"bearer {one}"}, as_json(TWO)) for one in tokens]
    assert [one.status for one in posted(*good, guard=guard)] == [200, 200]
    assert claims() == 2


def test_while_another_command_writes_senders_are_told_to_come_later(store, claims):
    app = make_app(store, clock=FixedClock(1), limits=Limits(wait_s=0.2))
    other = sqlite3.connect(store.home / "book.sqlite", isolation_level=None)

    async def act():
        async with lived(app):
            other.execute("BEGIN IMMEDIATE")
            first = await ask(app, "POST", "/v1/traces", JSON, as_json(TWO))
            other.execute("ROLLBACK")
            for _ in range(100):
                again = await ask(app, "POST", "/v1/traces", JSON, as_json(TWO))
                if again.status == 200:
                    break
            return first, again

    first, again = asyncio.run(act())
    other.close()
    assert (first.status, first.headers["retry-after"]) == (503, "5")
    assert (again.status, claims()) == (200, 2)


def test_books_that_refuse_to_be_written_are_tried_again_later(posted, monkeypatch, claims):
    def full(*_args, **_kwargs):
        raise StoreError("could not write: database or disk is full; nothing was kept")

    monkeypatch.setattr("tallybook.api.intake.ingest", full)
    (answer,) = posted((JSON, as_json(TWO)))
    assert (answer.status, answer.headers["retry-after"], claims()) == (503, "30", 0)
    assert "disk is full" in json.loads(answer.body)["message"]


def test_when_too_much_waits_senders_are_told_to_come_later():
    class Never:
        alive = True

        def submit(self, _readings):
            raise Full

    app = FastAPI()
    app.include_router(traces_router(Never(), Limits(), OPEN))
    answer = asyncio.run(ask(app, "POST", "/v1/traces", JSON, as_json(TWO)))
    assert (answer.status, answer.headers["retry-after"]) == (429, "2")


def test_who_hangs_up_leaves_nothing(store, claims):
    app = make_app(store, clock=FixedClock(1))

    async def act():
        async with lived(app):
            return await ask(app, "POST", "/v1/traces", JSON, as_json(TWO), hang_up=True)

    assert (asyncio.run(act()).status, claims()) == (400, 0)


def test_many_at_once_share_transactions_and_all_go_in(store, claims):
    app = make_app(store, clock=FixedClock(1))
    bodies = [as_json(request(span(f"{n:016x}"))) for n in range(1, 41)]

    async def act():
        async with lived(app):
            return await asyncio.gather(
                *(ask(app, "POST", "/v1/traces", JSON, body) for body in bodies)
            )

    assert {one.status for one in asyncio.run(act())} == {200}
    assert claims() == 40
    with store.read() as tx:
        assert tx.scalar("SELECT COUNT(*) FROM inbox") < 40


HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "content-type": st.sampled_from([JSON["content-type"], PROTOBUF["content-type"], "x", ""]),
        "content-encoding": st.sampled_from(["gzip", "identity", "", "x"]),
        "authorization": st.text(st.characters(max_codepoint=255), max_size=9),
    },
)
BODIES = (
    st.binary(max_size=80)
    | st.binary(max_size=80).map(gzip.compress)
    | st.builds(
        lambda body, at, byte: body[: at % len(body)] + byte + body[at % len(body) + 1 :],
        st.sampled_from([as_json(TWO), as_protobuf(TWO)]),
        st.integers(0, 10_000),
        st.binary(min_size=1, max_size=2),
    )
)


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory):
    store = Store.create(tmp_path_factory.mktemp("fuzzed") / "books")
    yield store
    store.close()


@settings(deadline=None)
@given(requests=st.lists(st.tuples(HEADERS, BODIES), max_size=6))
def test_no_bytes_make_an_error_of_ours(fuzzed, requests):
    app = make_app(fuzzed, clock=FixedClock(1))
    answers = asked(app, *(("POST", "/v1/traces", headers, body) for headers, body in requests))
    assert all(one.status in {200, 400, 413, 415} for one in answers)
    with fuzzed.read() as tx:
        rows = tx.scalar("SELECT COALESCE(SUM(rows), 0) FROM inbox")
        assert tx.scalar("SELECT COUNT(*) FROM claim") == rows
