"""OTLP over HTTP: a body to spans, an outcome to a body, in the form that the sender speaks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import Final, Literal

import msgspec
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from tallybook.api.body import too_many
from tallybook.api.model import Limits, Refusal
from tallybook.errors import EventError
from tallybook.meter.sources.json_records import decoded
from tallybook.meter.sources.otel import json_spans, listed, proto_spans
from tallybook.meter.sources.otel.model import Broken, Span

Form = Literal["protobuf", "json"]

TYPES: Final[dict[Form, str]] = {
    "protobuf": "application/x-protobuf",
    "json": "application/json",
}
_FORM_OF: Final = {name: form for form, name in TYPES.items()}
_FAULTS: Final = (msgspec.MsgspecError, UnicodeDecodeError, ValueError, RecursionError)
_MESSAGE_TAG: Final = b"\x12"  # field 2 of google.rpc.Status
_SEVEN, _MORE = 7, 0x80


def form_of(content_type: str) -> Form:
    """The form of a body by its content type.

    Raises:
        Refusal: it is another one.
    """
    form = _FORM_OF.get(content_type.partition(";")[0].strip().lower())
    if form is None:
        raise Refusal(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"Content-Type is {content_type[:50]!r}; it is {' or '.join(_FORM_OF)}",
        )
    return form


def expect_few(body: bytes, form: Form, limits: Limits) -> None:
    """See that a body does not list more than is taken, before any of it is built.

    The spans of a body in JSON are counted as they are read.

    Raises:
        Refusal: it lists more.
    """
    if form == "protobuf" and listed.spans_beyond(body, limits.request_spans):
        raise too_many(limits.request_spans, "spans")
    beyond = listed.messages_beyond if form == "protobuf" else listed.values_beyond
    if beyond(body, limits.request_values):
        raise too_many(limits.request_values, "values: attributes, events and what is in them")


def spans_in(body: bytes, form: Form) -> Iterator[Span | Broken]:
    """The spans of a body.

    Raises:
        Refusal: the body is no export request.
    """
    try:
        if form == "protobuf":
            yield from proto_spans.spans_of(body)
        else:
            yield from json_spans.spans_of(_object(body))
    except EventError as error:
        raise Refusal(HTTPStatus.BAD_REQUEST, error.what) from error


def _object(body: bytes) -> dict[str, object]:
    try:
        told = decoded(body)
    except _FAULTS as error:
        raise Refusal(HTTPStatus.BAD_REQUEST, f"the body is not JSON: {error}") from error
    if not isinstance(told, dict):
        raise Refusal(HTTPStatus.BAD_REQUEST, "the body is no JSON object")
    return told


def success(form: Form, rejected: int, message: str) -> bytes:
    """An ``ExportTraceServiceResponse``; ``rejected`` spans must not be sent again."""
    if form == "protobuf":
        response = ExportTraceServiceResponse()
        if rejected:
            response.partial_success.rejected_spans = rejected
            response.partial_success.error_message = message
        return bytes(response.SerializeToString())
    partial = {"rejectedSpans": str(rejected), "errorMessage": message} if rejected else {}
    return json.dumps({"partialSuccess": partial}).encode()


def failure(form: Form, message: str) -> bytes:
    """A ``google.rpc.Status`` that carries a message."""
    if form == "json":
        return json.dumps({"message": message}).encode()
    text = message.encode()
    size, length = len(text), b""
    while size >= _MORE:
        length += bytes([size % _MORE | _MORE])
        size >>= _SEVEN
    return _MESSAGE_TAG + length + bytes([size]) + text
