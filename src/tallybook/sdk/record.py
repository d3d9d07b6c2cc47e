"""What is written down of one attempt of a call: canonical usage events, and nothing it said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from tallybook.clock import format_instant
from tallybook.meter.model import Status
from tallybook.meter.usage.model import Part, UsageReading
from tallybook.sdk.asked import Asked

SOURCE: Final = "sdk"
_NAMELESS: Final = "unknown"
_REQUEST_IDS: Final = ("x-request-id", "request-id", "x-amzn-requestid", "apim-request-id")
_LABEL: Final = "labels."


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP request, and whose it is. ``trace`` holds trace_id and span_id where there are.

    A struct, because one is made for every call, and a frozen dataclass takes five times as long.
    """

    event_id: str
    operation_id: str
    attempt: int
    started_us: int
    asked: Asked
    tags: Mapping[str, str]
    key_id: str
    trace: Mapping[str, str]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How it ended.

    ``reading`` is None if there was no answer that can be read; then ``billed`` says whether the
    provider may have done the work all the same.
    """

    status: Status
    took_us: int
    reading: UsageReading | None = None
    billed: bool = False
    first_us: int | None = None
    request_id: str = ""
    supersedes: str = ""


def records(attempt: Attempt, outcome: Outcome) -> list[dict[str, Any]]:
    """The events of an attempt: one for each part of its response, or one if there is none."""
    reading = outcome.reading
    parts = (reading.parts if reading else ()) or (Part(""),)
    shared = _shared(attempt, outcome)
    return [
        _without_nothing(shared | _told(attempt, outcome, part, number))
        for number, part in enumerate(parts)
    ]


def _shared(attempt: Attempt, outcome: Outcome) -> dict[str, Any]:
    asked, reading = attempt.asked, outcome.reading
    tags = {name: text for name, text in attempt.tags.items() if text}
    labels = {
        name.removeprefix(_LABEL): text for name, text in tags.items() if name.startswith(_LABEL)
    }
    if asked.host:
        labels.setdefault("host", asked.host)
    if asked.background:
        labels.setdefault("background", "true")
    return {
        "source": SOURCE,
        "started_at": format_instant(attempt.started_us),
        "ended_at": format_instant(attempt.started_us + outcome.took_us),
        "provider": asked.provider or (reading.provider if reading else "") or _NAMELESS,
        "model_requested": asked.model,
        "operation": asked.operation,
        "tier": reading.tier if reading else "",
        "region": reading.region if reading else "",
        "status": outcome.status,
        "operation_id": attempt.operation_id,
        "attempt": attempt.attempt,
        "request_id": (reading.request_id if reading else "") or outcome.request_id,
        "key_id": attempt.key_id,
        "latency_ms": outcome.took_us // 1000,
        "ttft_ms": None if outcome.first_us is None else outcome.first_us // 1000,
        **attempt.trace,
        **{name: text for name, text in tags.items() if not name.startswith(_LABEL)},
        "labels": labels,
    }


def _told(attempt: Attempt, outcome: Outcome, part: Part, number: int) -> dict[str, Any]:
    reading = outcome.reading
    suffix = f"/{number}" if number else ""
    response_id = reading.response_id if reading else ""
    told: dict[str, Any] = {
        "event_id": attempt.event_id + suffix,
        "model": part.model
        or (reading.model if reading else "")
        or attempt.asked.model
        or _NAMELESS,
        "tokens": dict(part.tokens) if part.tokens else None,
        "units": dict(part.units) if part.units else None,
        "usage": _usage(outcome),
        "response_id": response_id + suffix if response_id else "",
        "supersedes": outcome.supersedes + suffix if outcome.supersedes else "",
    }
    if part.operation:
        told["operation"] = part.operation
    if outcome.status != "ok" and part.tokens:
        told["output_delivered"] = part.tokens.get("output")
    if reading and reading.reported_cost and not number:
        amount, currency = reading.reported_cost
        told["reported_cost"] = {"amount": amount, "currency": currency}
    return told


def _usage(outcome: Outcome) -> str | None:
    """An answer says it itself; without one nothing was used, unless the work may be done."""
    if outcome.reading is not None:
        return outcome.reading.usage
    return "unknown" if outcome.billed else None


def _without_nothing(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if value not in (None, "", {})}


def request_id_of(headers: Mapping[str, str]) -> str:
    """The provider's own id of a request."""
    return next((headers[name] for name in _REQUEST_IDS if headers.get(name)), "")
