"""Spans of OTLP in protobuf, decoded by the published message types."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from typing import Any, Final

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans

from tallybook.errors import EventError
from tallybook.meter.sources.otel.json_spans import double_of
from tallybook.meter.sources.otel.model import ERROR, KINDS, Broken, Resource, Span

_TRACE_BYTES, _SPAN_BYTES = 16, 8
_DEPTH_MAX: Final = 16


def spans_of(request: bytes) -> Iterator[Span | Broken]:
    """The spans of one ``ExportTraceServiceRequest``.

    Raises:
        EventError: the bytes are none.
    """
    message = ExportTraceServiceRequest()
    try:
        message.ParseFromString(request)
    except DecodeError as error:
        raise _undecodable(error) from error
    for group in message.resource_spans:
        yield from _group_spans(group)


def spans_of_group(group: bytes) -> Iterator[Span | Broken]:
    """The spans of one ``ResourceSpans``.

    Raises:
        EventError: the bytes are none.
    """
    message = ResourceSpans()
    try:
        message.ParseFromString(group)
    except DecodeError as error:
        raise _undecodable(error) from error
    yield from _group_spans(message)


def _undecodable(error: DecodeError) -> EventError:
    return EventError(
        f"not OTLP in protobuf: {error}",
        next_step="send an ExportTraceServiceRequest, or JSON with its content type",
    )


def _group_spans(group: Any) -> Iterator[Span | Broken]:
    resource = Resource.of(_attributes(group.resource.attributes))
    for scope in group.scope_spans:
        name, schema_url = scope.scope.name, scope.schema_url
        for span in scope.spans:
            yield _span(span, resource, name, schema_url)


def _span(span: Any, resource: Resource, scope: str, schema_url: str) -> Span | Broken:
    trace_id, span_id, parent_id = span.trace_id, span.span_id, span.parent_span_id
    if len(trace_id) != _TRACE_BYTES or not any(trace_id):
        return _broken(span, "trace_id", trace_id, _TRACE_BYTES)
    if len(span_id) != _SPAN_BYTES or not any(span_id):
        return _broken(span, "span_id", span_id, _SPAN_BYTES)
    if parent_id and len(parent_id) != _SPAN_BYTES:
        return _broken(span, "parent_span_id", parent_id, _SPAN_BYTES)
    kind = span.kind
    return Span(
        trace_id.hex(),
        span_id.hex(),
        parent_id.hex(),
        span.name,
        KINDS[kind] if 0 <= kind < len(KINDS) else KINDS[0],
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        span.status.code == ERROR,
        _attributes(span.attributes),
        resource,
        scope,
        schema_url,
    )


def _attributes(pairs: Any) -> dict[str, Any]:
    read: dict[str, Any] = {}
    for pair in pairs:
        value = pair.value
        text = value.string_value
        if text:  # nearly all are texts, and asking which one is held costs as much again
            read[pair.key] = text
            continue
        form = value.WhichOneof("value")
        read[pair.key] = value.int_value if form == "int_value" else _value(value, form)
    return read


def _value(value: Any, form: str | None, depth: int = 0) -> Any:
    if form is None or depth > _DEPTH_MAX:
        return None
    if form == "array_value":
        return [_value(x, x.WhichOneof("value"), depth + 1) for x in value.array_value.values]
    if form == "kvlist_value":
        return {
            pair.key: _value(pair.value, pair.value.WhichOneof("value"), depth + 1)
            for pair in value.kvlist_value.values
        }
    told = getattr(value, form)
    if form == "double_value":
        return double_of(told)
    return b64encode(told).decode() if form == "bytes_value" else told


def _broken(span: Any, name: str, told: bytes, length: int) -> Broken:
    record = {
        "traceId": span.trace_id.hex(),
        "spanId": span.span_id.hex(),
        "startTimeUnixNano": str(span.start_time_unix_nano),
    }
    what = f"{name} has {len(told)} bytes; it has {length}, not all zero"
    return Broken(record, EventError(what, next_step="export the spans again as OTLP"))
