"""Answers in the form of the question."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)

from tallybook.api.otlp import failure, success


@given(message=st.text(max_size=400))
def test_a_failure_is_a_status_with_a_message(message):
    assert json.loads(failure("json", message)) == {"message": message}
    # google.rpc.Status has its text in field 2, as this message has.
    read = ExportTracePartialSuccess.FromString(failure("protobuf", message))
    assert read.error_message == message


def test_a_success_tells_what_was_refused():
    assert json.loads(success("json", 0, "")) == {"partialSuccess": {}}
    partial = {"rejectedSpans": "2", "errorMessage": "why"}
    assert json.loads(success("json", 2, "why")) == {"partialSuccess": partial}
    assert success("protobuf", 0, "") == b""
    read = ExportTraceServiceResponse.FromString(success("protobuf", 2, "why"))
    assert (read.partial_success.rejected_spans, read.partial_success.error_message) == (2, "why")
