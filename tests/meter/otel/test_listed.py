"""What a request lists is counted as its decoder builds it, in texts nothing is counted."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otlp import CHAT, as_json, as_protobuf, request, span
from tallybook.meter.sources.otel import listed
from tallybook.meter.sources.otel.listed import messages_beyond, spans_beyond, values_beyond

LIVELY = request(
    span(attributes=CHAT | {"words": ["a", "b", True], "nested": [["*2JZjz"], []], "x" * 200: 1.5}),
    span("00f067aa0ba902b7", events=[{"name": "retry"}], links=[{"spanId": "00f067aa0ba902b8"}]),
)
BODY = as_protobuf(LIVELY)
MADE = ExportTraceServiceRequest.FromString


def built(message) -> int:
    """How many messages, and texts of lists, a decoder makes for a message."""
    count = 0
    for field, held in message.ListFields():
        each = held if field.is_repeated else [held]
        if field.message_type is not None:
            count += sum(1 + built(one) for one in each)
        elif field.is_repeated:
            count += len(each)
    return count


def values(told) -> int:
    """How many values JSON has, an empty list or object as two."""
    if not isinstance(told, dict | list):
        return 1
    return 1 + (sum(map(values, told.values() if isinstance(told, dict) else told)) or 1)


def messages(body: bytes) -> int:
    return sum(1 for _ in listed._listed(body, listed._WHOLE))


@pytest.fixture(autouse=True)
def walked_at_once(monkeypatch):
    """Without the sizes below which nothing needs to be counted."""
    monkeypatch.setattr(listed, "_BYTES_MIN", 0)


def test_the_messages_of_a_request_are_those_that_are_built():
    count = built(MADE(BODY))
    assert count > 40
    assert (messages_beyond(BODY, count - 1), messages_beyond(BODY, count)) == (True, False)


def test_its_spans_are_too():
    assert (spans_beyond(BODY, 1), spans_beyond(BODY, 2)) == (True, False)


@pytest.mark.parametrize("body", [b"\x0a\0" * 3, b"\x0a\x06" + b"\x12\0" * 3])
def test_what_holds_no_span_is_bounded_as_they_are(body):
    assert (spans_beyond(body, 2), spans_beyond(body, 3)) == (True, False)


@pytest.mark.parametrize(
    "again",
    [
        b"\x8a\0\0",
        b"\x8a\x80\x80\0\0",
        b"\x0a\x80\0",
        b"\x0a\x03\xf8\x01\1",
        b"\x0d\0\0\0\0\x09\0\0\0\0\0\0\0\0\x0a\0",
    ],
    ids=["a long tag", "a longer tag", "a long length", "an unknown field", "fixed numbers"],
)
def test_what_is_written_longer_than_it_need_be_is_counted(again):
    body = again * 3
    assert built(MADE(body)) == messages(body) == 3
    assert messages_beyond(body, 2)
    assert spans_beyond(body, 2)


def test_what_an_unknown_group_holds_is_walked_past():
    body = b"\xfb\x01\xf8\x01\1\xfc\x01" + BODY
    assert built(MADE(body)) == messages(body)


@given(st.binary(max_size=200))
def test_whatever_can_be_built_is_counted(body):
    try:
        count = built(MADE(body))
    except Exception:  # noqa: BLE001 - the walk must end all the same
        count = 0
    assert messages(body) >= count


@pytest.mark.parametrize("end", range(1, len(BODY), 7))
def test_a_request_that_is_cut_is_counted_as_far_as_it_goes(end):
    assert messages(BODY[:end]) <= messages(BODY)


def test_no_depth_is_walked_that_is_never_built():
    deep = b""
    for _ in range(300):
        deep = b"\x2a" + listed_size(len(deep)) + deep
        deep = b"\x0a" + listed_size(len(deep)) + deep
    assert messages(deep) < 300


def listed_size(size: int) -> bytes:
    return bytes([size]) if size < 128 else bytes([size % 128 | 128, size // 128])


@pytest.mark.parametrize("piece", [1, 2, 7, 2**20])
@pytest.mark.parametrize(
    "told",
    [
        LIVELY,
        {"a": '{"b": [1, 2]}', "c": 'x\\"[,{', "d": "\\", "e": ["\\\\", "{", 1, 2]},
        {'k"{,': [[], {}, "", None, 1.5, [1, [2]]]},
    ],
)
def test_the_values_of_json_are_counted_and_texts_are_not_looked_into(monkeypatch, piece, told):
    monkeypatch.setattr(listed, "_PIECE", piece)
    body, count = json.dumps(told).encode(), values(told)
    assert (values_beyond(body, count - 1), values_beyond(body, count)) == (True, False)


def test_a_body_of_json_that_is_full_of_texts_is_taken():
    body = as_json(request(span(attributes={"code": "{[," * 1000})))
    assert not values_beyond(body, 100)
