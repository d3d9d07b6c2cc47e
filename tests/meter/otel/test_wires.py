"""Both wires say the same, and what is no span is named and does not stop the rest."""

from __future__ import annotations

import json
from base64 import b64encode

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans

from otlp import CHAT, TRACE, as_json, as_protobuf, attributes, request, span
from tallybook.errors import EventError
from tallybook.meter.sources.otel import json_spans, proto_spans
from tallybook.meter.sources.otel.model import Broken, Span

EVERY_TYPE = {"text": "a", "int": 2**53 + 1, "double": 0.1, "flag": True, "list": ["a", 1, 2.5]}


def in_json(told):
    return list(json_spans.spans_of(json.loads(as_json(told))))


def test_both_wires_say_the_same():
    told = request(
        span(attributes=CHAT | EVERY_TYPE), span("00f067aa0ba902b7", parent="eee19b7ec3c1b174")
    )
    assert list(proto_spans.spans_of(as_protobuf(told))) == in_json(told)


def test_ids_come_as_hex_or_as_base64():
    trace = b64encode(bytes.fromhex(TRACE)).decode()
    own = b64encode(bytes.fromhex("eee19b7ec3c1b174")).decode()
    parent = b64encode(bytes.fromhex("00f067aa0ba902b7")).decode()
    assert (len(trace), len(own)) == (24, 12)
    (found,) = in_json(request(span(traceId=trace, spanId=own, parentSpanId=parent)))
    assert (found.trace_id, found.span_id) == (TRACE, "eee19b7ec3c1b174")
    assert found.parent_id == "00f067aa0ba902b7"
    (upper,) = in_json(request(span(traceId=TRACE.upper())))
    assert upper.trace_id == TRACE


@pytest.mark.parametrize(
    "wrong", ["", "0" * 32, "xyz", TRACE[:-1], 7, None, "=" * 24, b64encode(b"\0" * 16).decode()]
)
def test_an_id_that_is_none_is_named(wrong):
    broken, good = in_json(request(span(traceId=wrong), span("00f067aa0ba902b7")))
    assert isinstance(broken, Broken)
    assert "traceId" in broken.fault.what
    assert broken.record["spanId"] == "eee19b7ec3c1b174"
    assert isinstance(good, Span)


@pytest.mark.parametrize("written", [12, "12"])
def test_whole_numbers_come_as_text_or_as_numbers(written):
    told = request(span(attributes={}))
    made = told["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    made["attributes"] = [{"key": "n", "value": {"intValue": written}}]
    made["startTimeUnixNano"] = written
    (found,) = in_json(told)
    assert (found.attributes["n"], found.start_ns) == (12, 12)


def test_names_come_in_camel_case_or_as_in_the_proto_files():
    told = {
        "resource_spans": [
            {
                "resource": {"attributes": []},
                "scope_spans": [
                    {
                        "scope": {"name": "s"},
                        "spans": [
                            {
                                "trace_id": TRACE,
                                "span_id": "eee19b7ec3c1b174",
                                "kind": "SPAN_KIND_SERVER",
                                "start_time_unix_nano": "5",
                                "status": {"code": "STATUS_CODE_ERROR"},
                                "attributes": [{"key": "a", "value": {"string_value": "b"}}],
                            }
                        ],
                    }
                ],
            }
        ]
    }
    (found,) = in_json(told)
    assert (found.kind, found.start_ns, found.failed) == ("server", 5, True)
    assert (found.scope, found.attributes) == ("s", {"a": "b"})


@pytest.mark.parametrize(
    "value", [{"stringValue": 5}, {"intValue": "x"}, {"what": 1}, 5, {"intValue": 1, "x": 2}]
)
def test_a_value_of_no_type_is_named(value):
    told = request(span(attributes={}), span("00f067aa0ba902b7"))
    made = told["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    made["attributes"] = [{"key": "gen_ai.usage.input_tokens", "value": value}]
    broken, good = in_json(told)
    assert "gen_ai.usage.input_tokens" in broken.fault.what
    assert isinstance(good, Span)


def test_doubles_that_are_no_numbers_are_text_on_either_wire():
    told = request(span(attributes={"a": float("nan"), "b": float("inf"), "c": float("-inf")}))
    (by_protobuf,) = proto_spans.spans_of(as_protobuf(told))
    assert by_protobuf.attributes == {"a": "NaN", "b": "Infinity", "c": "-Infinity"}
    text = {"a": "NaN", "b": "Infinity", "c": "-Infinity"}
    told["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["attributes"] = [
        {"key": name, "value": {"doubleValue": each}} for name, each in text.items()
    ]
    assert in_json(told)[0].attributes == by_protobuf.attributes


def test_what_lies_too_deep_is_nothing_on_either_wire():
    told, wrapped = request(span()), {"stringValue": "x"}
    message = ResourceSpans()
    spans = message.scope_spans.add().spans
    made = spans.add(trace_id=bytes.fromhex(TRACE), span_id=b"12345678")
    deep = made.attributes.add(key="gen_ai.input.messages").value
    for _ in range(20):
        wrapped = {"arrayValue": {"values": [wrapped]}}
        deep = deep.array_value.values.add()
    deep.string_value = "x"
    written = {"key": "gen_ai.input.messages", "value": wrapped}
    told["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["attributes"] = [written]
    (by_protobuf,) = proto_spans.spans_of_group(message.SerializeToString())
    assert in_json(told)[0].attributes == by_protobuf.attributes


@pytest.mark.parametrize("form", ["stringValue", "intValue", "boolValue", "arrayValue"])
def test_a_type_without_a_value_is_nothing(form):
    told = request(span(attributes={}))
    made = told["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    made["attributes"] = [{"key": "a", "value": {form: None}}]
    assert in_json(told)[0].attributes == {"a": None}


def test_a_whole_number_has_the_digits_of_json():
    told = request(span(attributes={}))
    made = told["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    made["attributes"] = [{"key": "n", "value": {"intValue": "\u0661\u0662"}}]
    assert "intValue is a whole number" in in_json(told)[0].fault.what


def test_what_is_no_request_is_refused():
    with pytest.raises(EventError, match="resourceSpans is 7"):
        list(json_spans.spans_of({"resourceSpans": 7}))
    with pytest.raises(EventError, match="resourceSpans"):
        list(json_spans.spans_of({"data": []}))
    with pytest.raises(EventError, match="not OTLP"):
        list(proto_spans.spans_of(b"\xff\xff\xff"))
    assert list(json_spans.spans_of({})) == []
    assert list(proto_spans.spans_of(b"")) == []


def test_ids_of_a_wrong_length_in_protobuf_are_named():
    group = ResourceSpans()
    spans = group.scope_spans.add().spans
    for trace_id, span_id, parent in (
        (b"x", b"12345678", b""),
        (b"x" * 16, bytes(8), b""),
        (b"x" * 16, b"12345678", b"1"),
        (b"x" * 16, b"12345678", b""),
    ):
        spans.add(trace_id=trace_id, span_id=span_id, parent_span_id=parent)
    *broken, good = proto_spans.spans_of_group(group.SerializeToString())
    assert [one.fault.what.split()[0] for one in broken] == [
        "trace_id",
        "span_id",
        "parent_span_id",
    ]
    assert isinstance(good, Span)


def test_attributes_of_nothing_are_nothing():
    told = request(span(attributes={}))
    made = told["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    made["attributes"] = [*attributes({"a": "b"}), {"key": "c"}, {"key": "d", "value": {}}]
    assert in_json(told)[0].attributes == {"a": "b", "c": None, "d": None}
