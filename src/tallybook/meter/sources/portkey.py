"""Portkey: exported logs, log blobs and analytics records.

A log blob, and an exported log with its response, keep what the provider answered; an analytics
record has two sums of tokens and a cost in cents. Metadata comes as an object or as two arrays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path as FilePath
from typing import Any, Final

from tallybook.errors import EventError
from tallybook.meter.identity import Path
from tallybook.meter.providers import provider_of, provider_of_url
from tallybook.meter.sources.calls import (
    NOTHING,
    UNKNOWN,
    ZERO,
    call,
    whole_ms,
    with_body,
    with_usage,
)
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

NAME: Final = "portkey"
_BULKY: Final = ("choices", "content", "output", "candidates", "data", "message")
PERSONAL: Final[tuple[Path, ...]] = (
    ("_user",),
    ("request",),
    ("metadata", "_user"),
    ("metadata", "user"),
    ("metadata", "customer"),
    *(("response", name) for name in _BULKY),
    *(("response", "body", name) for name in _BULKY),
)
_OBJECTS: Final = ("request", "response", "metadata", "portkeyHeaders")
_CENTS: Final = 2
_ERRORS_FROM: Final = 400
_ATTEMPT: Final = "x-portkey-retry-attempt-count"
_CACHE: Final = "x-portkey-cache-status"


def open_files(files: Sequence[FilePath]) -> Foreign:
    """Exported logs, log blobs and analytics records, as JSON lines or arrays.

    Raises:
        EventError: a file cannot be opened; nothing was read.
    """
    return Foreign(NAME, files, translate, personal=PERSONAL, prepare=prepare, open_page=open_page)


def open_page(record: dict[str, Any]) -> Sequence[object] | None:
    """The logs of an answer of the logs API."""
    held = record.get("data")
    return held if isinstance(held, list) and "created_at" not in record else None


def prepare(record: dict[str, Any]) -> dict[str, Any]:
    """A record with objects in place of their JSON text, and metadata as an object."""
    kept = unpacked(record, _OBJECTS)
    metadata = kept.get("metadata")
    if isinstance(metadata, dict) and isinstance(metadata.get("key"), list):
        kept["metadata"] = dict(pairs_of(metadata))
    return kept


def translate(record: dict[str, Any]) -> Iterator[Told]:
    """What a prepared record tells.

    Raises:
        EventError: it is no record of Portkey's, or its figures contradict each other.
    """
    event_id = text(record.get("id")) or text(record.get("_id"))
    if not event_id or "created_at" not in record:
        raise EventError(
            "this is no record of Portkey: id or created_at is missing",
            next_step="request id and created_at in requestedData of the logs export",
        )
    request, response = _object(record, "request"), _object(record, "response")
    headers = _headers(response)
    event = _event(record, request, response, headers, event_id)
    if "hit" in (text(record.get("cache_status")) or headers.get(_CACHE, "")).lower():
        event["labels"]["cache_hit"] = "true"
        yield with_usage(event, ZERO)
        return
    body = response.get("body", record.get("response"))
    endpoint = event.get("endpoint", "")
    told = with_body(event, body, convention=NAME, endpoint=endpoint, headers=headers)
    if told is not None:
        for each in told:
            each.canonical.setdefault("request_id", event_id)
        yield from told
        return
    tokens = tokens_of(record, CONVENTIONS["portkey, columns"])
    used = tokens if tokens and any(tokens.values()) else None
    event.setdefault("request_id", event_id)
    yield with_usage(event, used, usage="estimated" if used else "reported")


def _event(
    record: Mapping[str, Any],
    request: Mapping[str, Any],
    response: Mapping[str, Any],
    headers: Mapping[str, str],
    event_id: str,
) -> dict[str, Any]:
    asked = _object(request, "body") or request
    body = _object(response, "body") or response
    url = text(record.get("request_url")) or text(request.get("url"))
    model = text(body.get("model")) or text(record.get("ai_model")) or text(asked.get("model"))
    amount = money(record.get("cost"), _CENTS) if record.get("cost") else None
    cost = cost_fields(amount, text(record.get("cost_currency")).upper() or "USD")
    fields, labels = fields_of(tuple(_tags(record, request)))
    event = call(
        event_id=event_id,
        source=NAME,
        started_at=instant(record.get("created_at"), "created_at"),
        provider=_provider(record, request, url) or maker_of(model) or UNKNOWN,
        model=model or UNKNOWN,
        model_requested=text(asked.get("model")) or text(record.get("ai_model")),
        endpoint=url,
        status="error" if _failed(record, response) else None,
        attempt=_attempt(record, headers),
        latency_ms=whole_ms(record.get("response_time", response.get("responseTime"))),
        trace_id=text(record.get("trace_id")) or _portkey_header(request, "trace-id"),
        span_id=text(record.get("span_id")),
        parent_span_id=text(record.get("parent_span_id")),
        key_id=text(record.get("api_key_id")) or text(record.get("virtual_key")),
        **cost,
    )
    event |= {name: value for name, value in fields.items() if value}
    own = {label: said for name, label in _LABELS if (said := text(record.get(name)))}
    event["labels"] = {**cost.get("labels", {}), **labels, **own, "call_id": event_id}
    return event


_LABELS: Final = (
    ("workspace_slug", "workspace"),
    ("virtual_key", "virtual_key"),
    ("config", "config"),
    ("prompt_slug", "prompt"),
    ("last_used_option_index", "option"),
)


def _tags(record: Mapping[str, Any], request: Mapping[str, Any]) -> Iterator[Pair]:
    yield from pairs_of(record.get("metadata"))
    yield from pairs_of(_portkey_header(request, "metadata"))
    yield from pairs_of({name: value for name, value in record.items() if name[:1] == "_"
                         and name != "_id"})  # fmt: skip


def _provider(record: Mapping[str, Any], request: Mapping[str, Any], url: str) -> str:
    told = text(record.get("ai_org")) or text(record.get("ai_provider"))
    told = told or _portkey_header(request, "provider")
    return provider_of(told) if told else provider_of_url(url) if _is_plain(url) else ""


def _is_plain(url: str) -> bool:
    try:
        provider_of_url(url)
    except ValueError:  # such as a bracket that is not closed
        return False
    return True


def _portkey_header(request: Mapping[str, Any], name: str) -> str:
    for held in (_object(request, "portkeyHeaders"), _object(request, "headers")):
        for key, value in held.items():
            if key.lower() == f"x-portkey-{name}":
                return text(value)
    return ""


def _headers(response: Mapping[str, Any]) -> dict[str, str]:
    held = _object(response, "headers")
    return {name.lower(): value for name, value in held.items() if isinstance(value, str)}


def _failed(record: Mapping[str, Any], response: Mapping[str, Any]) -> bool:
    told = record.get("response_status_code", record.get("status_code", response.get("status")))
    code = whole_ms(told)
    return code is not None and code >= _ERRORS_FROM


def _attempt(record: Mapping[str, Any], headers: Mapping[str, str]) -> int | None:
    """The attempt that was answered; those before it failed and are not billed."""
    told = text(record.get("retry_success_count")) or headers.get(_ATTEMPT, "")
    retries = int(told) if told.isascii() and told.isdigit() and len(told) < 9 else 0  # noqa: PLR2004
    return 1 + retries if retries else None


def _object(holder: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    told = holder.get(name)
    return told if isinstance(told, dict) else NOTHING
