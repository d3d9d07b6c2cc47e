"""Bifrost: rows of its `logs` table, and pages of its logs API.

Usage is in Bifrost's own shape, cached tokens inside the prompt whoever served. Where the raw
response was kept, the provider's own usage is read instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path as FilePath
from typing import Any, Final

from tallybook.errors import EventError
from tallybook.meter.identity import Path
from tallybook.meter.providers import provider_of
from tallybook.meter.sources.calls import UNKNOWN, ZERO, call, whole_ms, with_body, with_usage
from tallybook.meter.sources.flattened import CONVENTIONS, tokens_of
from tallybook.meter.sources.foreign import Foreign, Told
from tallybook.meter.sources.litellm_models import maker_of
from tallybook.meter.sources.tags import (
    Pair,
    cost_fields,
    fields_of,
    instant,
    money,
    pairs_of,
    text,
    unpacked,
)

NAME: Final = "bifrost"
_CONTENTS: Final = (
    *("input_history", "output_message", "responses_input_history", "responses_output"),
    *("embedding_output", "rerank_output", "speech_input", "speech_output", "params", "tools"),
    *("transcription_input", "transcription_output", "raw_request", "raw_response"),
    *("passthrough_request_body", "passthrough_response_body", "content_summary", "tool_calls"),
)
PERSONAL: Final[tuple[Path, ...]] = (
    *((name,) for name in ("user_id", "user_name", "customer_id", "customer_name", *_CONTENTS)),
    ("metadata", "user"),
    ("metadata", "customer"),
)
_OBJECTS: Final = ("token_usage", "metadata", "raw_response", "cache_debug")
_OBJECT_OPERATION: Final = {
    "embedding": "embedding",
    "list": "embedding",
    "audio.speech": "speech",
    "audio.transcription": "transcription",
    "image.generation": "image",
    "rerank": "rerank",
    "ocr": "ocr",
}


def open_files(files: Sequence[FilePath]) -> Foreign:
    """Rows of ``logs``, as JSON lines or an array, and pages of ``GET /api/logs``.

    Raises:
        EventError: a file cannot be opened; nothing was read.
    """
    return Foreign(NAME, files, translate, personal=PERSONAL, prepare=prepare, open_page=open_page)


def open_page(record: dict[str, Any]) -> Sequence[object] | None:
    """The rows of a page."""
    held = record.get("logs")
    return held if isinstance(held, list) and "id" not in record else None


def prepare(record: dict[str, Any]) -> dict[str, Any]:
    """A row with objects in place of their JSON text."""
    return unpacked(record, _OBJECTS)


def translate(record: dict[str, Any]) -> Iterator[Told]:
    """What a row tells; nothing while its call is under way.

    Raises:
        EventError: it is no row of Bifrost's, or its figures contradict each other.
    """
    event_id = text(record.get("id"))
    if not event_id or "timestamp" not in record:
        raise EventError(
            "this is no row of Bifrost: id or timestamp is missing",
            next_step="export the logs table, or the pages of GET /api/logs",
        )
    if record.get("status") == "processing":
        return
    event = _event(record, event_id)
    debug = record.get("cache_debug")
    if isinstance(debug, dict) and debug.get("cache_hit") is True:
        event["labels"]["cache_hit"] = "true"
        yield with_usage(event, ZERO)
        return
    raw = record.get("raw_response")
    told = with_body(event, raw, convention=NAME) if raw else None
    if told is not None:
        for each in told:
            each.canonical.setdefault("request_id", event_id)
        yield from told
        return
    usage = record.get("token_usage", record.get("token_usage_parsed"))
    event.setdefault("request_id", event_id)
    tokens = tokens_of(usage, CONVENTIONS[NAME]) if isinstance(usage, dict) else None
    yield with_usage(event, tokens if tokens and any(tokens.values()) else None)


def _event(record: Mapping[str, Any], event_id: str) -> dict[str, Any]:
    model = text(record.get("model"))
    told = record.get("cost")
    cost = cost_fields(money(told) if told else None)
    fields, labels = fields_of(tuple(_tags(record)))
    parent = text(record.get("parent_request_id"))
    kind = text(record.get("object")) or text(record.get("object_type"))
    event = call(
        event_id=event_id,
        source=NAME,
        started_at=instant(record.get("timestamp"), "timestamp"),
        provider=provider_of(text(record.get("provider"))) or maker_of(model) or UNKNOWN,
        model=model or UNKNOWN,
        model_requested=text(record.get("alias")),
        operation=_OBJECT_OPERATION.get(kind.removesuffix(".chunk"), "chat"),
        status="error" if record.get("status") in ("error", "cancelled") else None,
        key_id=_either(record, "virtual_key_name", "virtual_key_id"),
        operation_id=parent or event_id,
        attempt=_attempt(record),
        latency_ms=whole_ms(record.get("latency")),
        **cost,
    )
    event |= fields
    own = {label: said for name, label in _LABELS if (said := text(record.get(name)))}
    event["labels"] = {**cost.get("labels", {}), **labels, **own, "call_id": event_id}
    return event


_LABELS: Final = (
    ("selected_key_name", "provider_key"),
    ("team_id", "team_id"),
    ("business_unit_name", "business_unit"),
    ("routing_rule_name", "routing_rule"),
)


def _tags(record: Mapping[str, Any]) -> Iterator[Pair]:
    """Tags of the request, then the governance that its virtual key stands under."""
    yield from pairs_of(record.get("metadata"))
    yield "team", _either(record, "team_name", "team_id")
    yield "customer", _either(record, "customer_id", "customer_name")
    yield "user", _either(record, "user_id", "user_name")


def _either(record: Mapping[str, Any], first: str, second: str) -> str:
    return text(record.get(first)) or text(record.get(second))


def _attempt(record: Mapping[str, Any]) -> int | None:
    """The attempt that the row tells of: after its own retries, at its place among fallbacks."""
    before = 0
    for name in ("number_of_retries", "fallback_index"):
        told = record.get(name)
        before += int(told) if isinstance(told, int | Decimal) and 0 < told < 1000 else 0  # noqa: PLR2004
    return 1 + before if before else None
