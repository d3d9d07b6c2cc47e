"""BurnLens: rows of its `requests` table, exported as JSON.

Output leaves reasoning out, input is each provider's own count. A stream whose usage BurnLens did
not see is written as 0 tokens and 0 dollars, `calculated`: that is unknown here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path as FilePath
from typing import Any, Final

from tallybook.errors import EventError
from tallybook.meter.identity import Path
from tallybook.meter.providers import provider_of
from tallybook.meter.sources.calls import UNKNOWN, ZERO, call, whole_ms, with_usage
from tallybook.meter.sources.flattened import CACHE_BESIDE, CONVENTIONS, tokens_of
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

NAME: Final = "burnlens"
PERSONAL: Final[tuple[Path, ...]] = (
    ("customer_hash",),
    ("tags", "customer"),
    ("tags", "user"),
    ("tag_customer",),
)
_ERRORS_FROM: Final = 400
_RESPONSES: Final = ("chatcmpl-", "resp_", "msg_", "gen-")
_TAGS: Final = ("team", "feature", "env", "app_id", "agent_id", "workflow_id", "repo", "branch")


def open_files(files: Sequence[FilePath]) -> Foreign:
    """Rows of ``requests``, as JSON lines or an array (`sqlite3 -json`).

    Raises:
        EventError: a file cannot be opened; nothing was read.
    """
    return Foreign(NAME, files, translate, personal=PERSONAL, prepare=prepare)


def prepare(record: dict[str, Any]) -> dict[str, Any]:
    """A row with its tags as an object."""
    return unpacked(record, ("tags",))


def translate(record: dict[str, Any]) -> Iterator[Told]:
    """What a row tells.

    Raises:
        EventError: it is no row of BurnLens', or its figures contradict each other.
    """
    event_id = text(record.get("event_id")) or text(record.get("id"))
    if not event_id or "timestamp" not in record:
        raise EventError(
            "this is no row of BurnLens: event_id or timestamp is missing",
            next_step="export it with `sqlite3 -json burnlens.db 'SELECT * FROM requests'`",
        )
    event = _event(record, event_id)
    if record.get("cache_hit") in (1, True):
        event["labels"]["cache_hit"] = "true"
        event.pop("response_id", None)
        yield with_usage(event, ZERO)
        return
    beside = event["provider"] in CACHE_BESIDE
    tokens = tokens_of(record, CONVENTIONS["burnlens, cache beside" if beside else NAME])
    yield with_usage(event, tokens if tokens and any(tokens.values()) else None)


def _event(record: Mapping[str, Any], event_id: str) -> dict[str, Any]:
    model = text(record.get("model")) or text(record.get("routed_model"))
    told = record.get("cost_usd")
    cost = cost_fields(money(told) if told else None)
    fields, labels = fields_of(tuple(_tags(record)))
    request = text(record.get("request_id"))
    served = request.startswith(_RESPONSES)
    status = record.get("status_code")
    event = call(
        event_id=event_id,
        source=NAME,
        started_at=instant(record.get("timestamp"), "timestamp"),
        provider=provider_of(text(record.get("provider"))) or maker_of(model) or UNKNOWN,
        model=model or UNKNOWN,
        model_requested=text(record.get("requested_model")),
        endpoint=text(record.get("request_path")),
        status="error" if type(status) is int and status >= _ERRORS_FROM else None,
        customer=text(record.get("customer_hash")),
        response_id=request if served else "",
        request_id=event_id if served else request or event_id,
        trace_id=text(record.get("trace_id")),
        parent_span_id=text(record.get("parent_span_id")),
        latency_ms=whole_ms(record.get("duration_ms")),
        ttft_ms=whole_ms(record.get("ttft_ms")),
        **_operation(record, event_id),
        **cost,
    )
    event |= fields
    event["labels"] = {**cost.get("labels", {}), **labels}
    if event["request_id"] != event_id:
        event["labels"]["call_id"] = event_id
    return event


def _operation(record: Mapping[str, Any], event_id: str) -> dict[str, Any]:
    """A retry or fallback belongs to the operation of the call that it repeats."""
    first = text(record.get("retry_of_event_id")) or text(record.get("fallback_of_event_id"))
    return {"operation_id": first, "attempt": 2} if first else {"operation_id": event_id}


def _tags(record: Mapping[str, Any]) -> Iterator[Pair]:
    yield from pairs_of(record.get("tags"))
    yield from ((name, text(record.get(name))) for name in _TAGS)
