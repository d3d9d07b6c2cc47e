"""Events of tracers as the files that tracers write: OTLP in JSON, observations of Langfuse."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, Final

from tallybook.clock import parse_instant

Event = dict[str, Any]
"""A canonical event of a tracer; ``role: step`` marks what used nothing itself."""

_BAGGAGE: Final = (
    *("team", "feature", "purpose", "key_id", "environment", "customer", "user"),
    "evaluation_run",
)
_NS_PER_US: Final = 1000
_ERROR, _OK = 2, 1


def otlp_text(events: Sequence[Event], rejects: Sequence[Event]) -> str:
    """One request a line, one span a request; what cannot be read has a trace id that is none."""
    requests = [_request(event) for event in events]
    requests += [_request({**event, "trace_id": "nonsense", "span_id": "0"}) for event in rejects]
    return "".join(f"{json.dumps(request)}\n" for request in requests)


def langfuse_text(events: Sequence[Event], rejects: Sequence[Event]) -> str:
    """One observation a line; what cannot be read has no start."""
    lines = [_observation(event) for event in events]
    lines += [{**_observation(event), "startTime": None} for event in rejects]
    return "".join(f"{json.dumps(line)}\n" for line in lines)


def jsonl_text(events: Sequence[Event], rejects: Sequence[Event]) -> str:
    """One canonical record a line."""
    return "".join(f"{json.dumps(record)}\n" for record in (*events, *rejects))


WRITERS: Final[dict[str, Callable[[Sequence[Event], Sequence[Event]], str]]] = {
    "jsonl": jsonl_text,
    "otel": otlp_text,
    "langfuse": langfuse_text,
}


def _request(event: Event) -> dict[str, Any]:
    is_step = event.get("role") == "step"
    service = event.get("service", "")
    process = {"service.name": service} if service and not is_step else {}
    span = {
        "traceId": event["trace_id"],
        "spanId": event["span_id"],
        "parentSpanId": event.get("parent_span_id", ""),
        "name": event.get("operation", "chat"),
        "kind": 3,
        "startTimeUnixNano": str(parse_instant(event["started_at"]) * _NS_PER_US),
        "endTimeUnixNano": str(parse_instant(event["ended_at"]) * _NS_PER_US),
        "status": {"code": _ERROR if event.get("status") == "error" else _OK},
        "attributes": _attributes(_said(event)),
    }
    scope = {"scope": {"name": "world"}, "spans": [span]}
    return {
        "resourceSpans": [{"resource": {"attributes": _attributes(process)}, "scopeSpans": [scope]}]
    }


def _said(event: Event) -> dict[str, Any]:
    """The attributes of a span."""
    said = {f"chargeback.{name}": event[name] for name in _BAGGAGE if name in event}
    said |= {f"chargeback.{key}": value for key, value in event.get("labels", {}).items()}
    if event.get("role") == "step":
        said["gen_ai.operation.name"] = event["operation"]
        named = "tool" if event["operation"] == "execute_tool" else "agent"
        return said | ({f"gen_ai.{named}.name": event["service"]} if "service" in event else {})
    said |= {"gen_ai.operation.name": "chat", "gen_ai.provider.name": event["provider"]}
    said["gen_ai.response.model"] = event["model"]
    if "response_id" in event:
        said["gen_ai.response.id"] = event["response_id"]
    tokens = event.get("tokens", {})
    if tokens and not any(tokens.values()):
        said["litellm.cache_hit"] = True
    elif tokens:
        cached = tokens.get("cache_read", 0)
        said["gen_ai.usage.input_tokens"] = tokens["input_uncached"] + cached
        said |= {"gen_ai.usage.cache_read.input_tokens": cached} if cached else {}
        said |= (
            {"gen_ai.usage.output_tokens": tokens["output"]} if tokens["output"] is not None else {}
        )
    return said


def _attributes(said: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in said.items()]


def _value(value: object) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    return {"intValue": str(value)} if isinstance(value, int) else {"stringValue": str(value)}


def _observation(event: Event) -> dict[str, Any]:
    return {
        "id": event["span_id"],
        "traceId": event["trace_id"],
        "parentObservationId": event.get("parent_span_id"),
        "type": "TOOL" if event["operation"] == "execute_tool" else "AGENT",
        "name": event.get("service", ""),
        "startTime": event["started_at"],
        "endTime": event["ended_at"],
        "level": "ERROR" if event["status"] == "error" else "DEFAULT",
        "metadata": {"attributes": _said({**event, "operation": "invoke_agent"})},
    }
