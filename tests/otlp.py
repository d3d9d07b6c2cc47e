"""Spans for tests: one description, written as OTLP in JSON or in protobuf."""

from __future__ import annotations

import json
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from tallybook.errors import EventError
from tallybook.meter.model import UsageEvent
from tallybook.meter.sources.otel.json_spans import spans_of
from tallybook.meter.sources.otel.readings import readings_of
from tallybook.meter.sources.source import Reading

TRACE = "5b8efff798038103d269b633813fc60c"
START_NS = 1_790_900_000_123_456_789
CHAT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-5",
    "gen_ai.response.model": "gpt-5-2025-08-07",
    "gen_ai.response.id": "chatcmpl-1",
    "gen_ai.usage.input_tokens": 1000,
    "gen_ai.usage.output_tokens": 50,
}


def value(told: Any) -> dict[str, Any]:
    if isinstance(told, bool):
        return {"boolValue": told}
    if isinstance(told, int):
        return {"intValue": str(told)}
    if isinstance(told, float):
        return {"doubleValue": told}
    if isinstance(told, list):
        return {"arrayValue": {"values": [value(each) for each in told]}}
    return {"stringValue": told}


def attributes(told: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": name, "value": value(each)} for name, each in told.items()]


def span(span_id: str = "eee19b7ec3c1b174", *, parent: str = "", **fields: Any) -> dict[str, Any]:
    """A span; ``attributes`` is a plain dict."""
    made: dict[str, Any] = {
        "traceId": TRACE,
        "spanId": span_id,
        "name": "chat gpt-5",
        "kind": 3,
        "startTimeUnixNano": str(START_NS),
        "endTimeUnixNano": str(START_NS + 2_000_000_000),
        "status": {},
    }
    if parent:
        made["parentSpanId"] = parent
    told = fields.pop("attributes", CHAT)
    return made | fields | {"attributes": attributes(told)}


def request(
    *spans: dict[str, Any], resource: dict[str, Any] | None = None, scope: str = ""
) -> dict[str, Any]:
    process = {"service.name": "refunds"} if resource is None else resource
    scopes = [{"scope": {"name": scope}, "spans": list(spans)}]
    group = {"resource": {"attributes": attributes(process)}, "scopeSpans": scopes}
    return {"resourceSpans": [group]}


def as_json(told: dict[str, Any]) -> bytes:
    return json.dumps(told).encode()


def as_protobuf(told: dict[str, Any]) -> bytes:
    """The same request in protobuf, made field by field."""
    message = ExportTraceServiceRequest()
    for group in told["resourceSpans"]:
        to = message.resource_spans.add()
        to.resource.attributes.extend(map(_pair, group["resource"]["attributes"]))
        for scope in group["scopeSpans"]:
            spans = to.scope_spans.add()
            spans.scope.name = scope["scope"]["name"]
            for one in scope["spans"]:
                made = spans.spans.add()
                made.trace_id = bytes.fromhex(one["traceId"])
                made.span_id = bytes.fromhex(one["spanId"])
                made.parent_span_id = bytes.fromhex(one.get("parentSpanId", ""))
                made.name, made.kind = one["name"], one["kind"]
                made.start_time_unix_nano = int(one["startTimeUnixNano"])
                made.end_time_unix_nano = int(one["endTimeUnixNano"])
                made.status.code = one["status"].get("code", 0)
                made.attributes.extend(map(_pair, one["attributes"]))
    return bytes(message.SerializeToString())


def _pair(told: dict[str, Any]) -> KeyValue:
    return KeyValue(key=told["key"], value=_any(told["value"]))


def _any(told: dict[str, Any]) -> AnyValue:
    ((form, held),) = told.items()
    if form == "arrayValue":
        made = AnyValue()
        made.array_value.values.extend(map(_any, held["values"]))
        return made
    name = {
        "stringValue": "string_value",
        "intValue": "int_value",
        "doubleValue": "double_value",
        "boolValue": "bool_value",
    }[form]
    return AnyValue(**{name: int(held) if form == "intValue" else held})


def reading(
    attributes: dict[str, Any],
    *,
    resource: dict[str, Any] | None = None,
    scope: str = "",
    **fields: Any,
) -> list[Reading]:
    """What one span with these attributes tells."""
    spans = spans_of(request(span(attributes=attributes, **fields), resource=resource, scope=scope))
    return list(readings_of("t", spans))


def event(attributes: dict[str, Any], **fields: Any) -> UsageEvent:
    """The one event of a span."""
    (one,) = reading(attributes, **fields)
    assert not isinstance(one.event, EventError), one.event
    return one.event
