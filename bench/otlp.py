"""Spans per second: parsed, read and claimed, by either wire. ``python -m bench --otlp``."""

from __future__ import annotations

import json
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from bench.figures import Figure
from tallybook.clock import FixedClock
from tallybook.meter.identity import Path as RecordPath
from tallybook.meter.ingest import ingest
from tallybook.meter.sources.otel.json_spans import spans_of as spans_of_json
from tallybook.meter.sources.otel.model import Broken, Span
from tallybook.meter.sources.otel.proto_spans import spans_of as spans_of_protobuf
from tallybook.meter.sources.otel.readings import readings_of
from tallybook.meter.sources.source import Reading
from tallybook.store import Store

SPANS = 50_000
A_REQUEST = 500
LEAST = 10_000
_DECODER = msgspec.json.Decoder(float_hook=Decimal)  # as both ways in do
NOW_US = 1_790_900_000_000_000
CALL: dict[str, str | int] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "anthropic",
    "gen_ai.request.model": "claude-sonnet-4-6",
    "gen_ai.response.model": "claude-sonnet-4-6",
    "gen_ai.usage.input_tokens": 1532,
    "gen_ai.usage.cache_read.input_tokens": 1111,
    "gen_ai.usage.cache_creation.input_tokens": 418,
    "gen_ai.usage.output_tokens": 33,
    "gen_ai.request.max_tokens": 1024,
    "server.address": "api.anthropic.com",
    "chargeback.team": "support",
    "chargeback.feature": "refund-bot",
}
"""Twelve attributes, and a response id of its own for each: what an instrumentation writes."""


def otlp_figures(repeat: int) -> list[Figure]:
    """Spans per second of one core, the best of some runs: the machine has other work too."""
    wires: dict[str, Callable[[], Iterator[Span | Broken]]] = {
        "protobuf": lambda: (s for body in bodies for s in spans_of_protobuf(body)),
        "JSON": lambda: (s for text in texts for s in spans_of_json(_DECODER.decode(text))),
    }
    figures = []
    for wire, spans in wires.items():
        took = []
        for _ in range(repeat):
            bodies = list(_bodies())
            texts = [_as_json(body) for body in bodies] if wire == "JSON" else []
            took.append(_claimed(spans))
        figures.append(
            Figure(
                f"OTLP spans in {wire}, claimed, per core",
                SPANS / min(took),
                "spans/s",
                least=LEAST,
            )
        )
    return figures


def _claimed(spans: Callable[[], Iterator[Span | Broken]]) -> float:
    folder = Path(tempfile.mkdtemp(prefix="tallybook-bench-"))
    try:
        store = Store.create(folder / "books")
        began = time.process_time()
        result = ingest(
            store,
            _Spans(spans),
            clock=FixedClock(NOW_US),
            new_id=lambda: secrets.token_hex(8),
            on_progress=None,
            reject_folder=folder,
        )
        took = time.process_time() - began
        store.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if result.accepted != SPANS:
        raise AssertionError(f"of {SPANS} spans {result} were accepted")
    return took


class _Spans:
    """Spans of one wire as a source."""

    name = "otel"
    personal: tuple[RecordPath, ...] = ()

    def __init__(self, spans: Callable[[], Iterator[Span | Broken]]) -> None:
        self._spans = spans

    def read(self) -> Iterator[Reading]:
        return readings_of("bench", self._spans())


def _bodies() -> Iterator[bytes]:
    for _ in range(SPANS // A_REQUEST):
        message = ExportTraceServiceRequest()
        group = message.resource_spans.add()
        _put(group.resource.attributes, {"service.name": "refunds"})
        scope = group.scope_spans.add()
        scope.scope.name = "bench"
        trace_id = secrets.token_bytes(16)
        for at in range(A_REQUEST):
            start_ns = NOW_US * 1000 + at * 1_000_003
            span = scope.spans.add(
                trace_id=trace_id,
                span_id=secrets.token_bytes(8),
                parent_span_id=b"parented",
                name="chat claude-sonnet-4-6",
                kind=3,
                start_time_unix_nano=start_ns,
                end_time_unix_nano=start_ns + 2_000_000_000,
            )
            _put(span.attributes, {**CALL, "gen_ai.response.id": f"msg_{secrets.token_hex(12)}"})
        yield message.SerializeToString()


def _put(attributes: Any, told: dict[str, str | int]) -> None:
    for name, value in told.items():
        held = attributes.add(key=name).value
        if isinstance(value, int):
            held.int_value = value
        else:
            held.string_value = value


def _as_json(body: bytes) -> str:
    """The same request as JSON."""
    spans = [span for span in spans_of_protobuf(body) if isinstance(span, Span)]
    written = [
        {
            "traceId": span.trace_id,
            "spanId": span.span_id,
            "parentSpanId": span.parent_id,
            "name": span.name,
            "kind": 3,
            "startTimeUnixNano": str(span.start_ns),
            "endTimeUnixNano": str(span.end_ns),
            "attributes": [
                {"key": name, "value": _any(value)} for name, value in span.attributes.items()
            ],
        }
        for span in spans
    ]
    scopes = [{"scope": {"name": "bench"}, "spans": written}]
    process = {"attributes": [{"key": "service.name", "value": {"stringValue": "refunds"}}]}
    return json.dumps({"resourceSpans": [{"resource": process, "scopeSpans": scopes}]})


def _any(value: object) -> dict[str, object]:
    return {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}
