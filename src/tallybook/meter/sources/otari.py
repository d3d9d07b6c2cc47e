"""Otari: external events, batches of them, and the usage records of its API.

Otari makes whoever sends an event state whether input holds cached tokens, and so do we: where a
record of an old release does not say, cached tokens make the figures an estimate.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path as FilePath
from typing import Any, Final

from tallybook.errors import EventError
from tallybook.meter.explain import shown
from tallybook.meter.identity import Path
from tallybook.meter.providers import provider_of
from tallybook.meter.sources.calls import UNKNOWN, call, whole_ms, with_usage
from tallybook.meter.sources.flattened import CACHE_BESIDE, CONVENTIONS, tokens_of
from tallybook.meter.sources.foreign import Foreign, Told
from tallybook.meter.sources.litellm_models import maker_of
from tallybook.meter.sources.tags import cost_fields, fields_of, instant, money, pairs_of, text

NAME: Final = "otari"
PERSONAL: Final[tuple[Path, ...]] = (("user_id",), ("user",))
_STATED: Final = "cache_tokens_in_prompt"
_CACHE: Final = ("cache_read_tokens", "cache_write_tokens")
_EVENT: Final = frozenset(
    {
        *("source", "source_event_id", "timestamp", "provider", "model", "status", "input_tokens"),
        *("output_tokens", *_CACHE, "cache_write_1h_tokens", _STATED, "duration_ms"),
        *("session_label", "user_id", "reject_user_mismatch"),
    }
)


def open_files(files: Sequence[FilePath]) -> Foreign:
    """Batches as they are sent, single external events, and records of ``GET /v1/usage``.

    Raises:
        EventError: a file cannot be opened; nothing was read.
    """
    return Foreign(NAME, files, translate, personal=PERSONAL, open_page=open_page)


def open_page(record: dict[str, Any]) -> Sequence[object] | None:
    """The events of a batch, each with what the batch says for all; the records of a page."""
    for name in ("events", "data", "usage", "items"):
        held = record.get(name)
        if isinstance(held, list):
            shared = {key: record[key] for key in ("source", "user_id") if key in record}
            return [shared | each if isinstance(each, dict) else each for each in held]
    return None


def translate(record: dict[str, Any]) -> Iterator[Told]:
    """What an event or a record tells.

    Raises:
        EventError: it is none of Otari's, an external event has a field that Otari refuses, or
            figures contradict each other.
    """
    if "source_event_id" in record and "id" not in record:
        yield _external(record)
    elif text(record.get("id")) and "timestamp" in record:
        yield _logged(record)
    else:
        raise EventError(
            "this is neither an external event nor a usage record of Otari",
            next_step="export GET /v1/usage, or the batches sent to /v1/usage/external-events",
        )


def _external(record: Mapping[str, Any]) -> Told:
    unknown = sorted(record.keys() - _EVENT)
    if unknown:
        raise EventError(
            f"{unknown[0]} is no field of an external event; Otari refuses it too",
            next_step="leave it out: prompts and answers are no usage",
        )
    said = record.get(_STATED, False)  # Otari's own default
    if not isinstance(said, bool):
        raise EventError(f"{_STATED} is {shown(said)}; it is true or false")
    event_id = text(record.get("source_event_id"))
    event = _event(record, f"{text(record.get('source'))}:{event_id}" if event_id else "")
    event |= call(response_id=event_id if event_id.startswith(_RESPONSES) else "")
    tokens = tokens_of(record, CONVENTIONS[NAME if said else "otari, cache beside"])
    return with_usage(event, tokens)


_RESPONSES: Final = ("msg_", "chatcmpl-", "resp_", "gen-")


def _logged(record: Mapping[str, Any]) -> Told:
    event = _event(record, text(record.get("id")))
    event["labels"] |= {"call_id": text(record.get("id"))}
    event["request_id"] = text(record.get("id"))
    inside, stated = _is_inside(record, event["provider"])
    tokens = tokens_of(record, CONVENTIONS[NAME if inside else "otari, cache beside"])
    if not tokens or not any(tokens.values()):
        return with_usage(event, None)
    cached = any(tokens.get(name) for name in ("cache_read", "cache_write", "cache_write_1h"))
    return with_usage(event, tokens, usage="estimated" if cached and not stated else "reported")


def _is_inside(record: Mapping[str, Any], provider: str) -> tuple[bool, bool]:
    """Whether input holds cached tokens, and whether the record says so itself."""
    said = record.get(_STATED)
    if isinstance(said, bool):
        return said, True
    meters = record.get("billing_meters")
    prompt = record.get("prompt_tokens", record.get("input_tokens"))
    if isinstance(meters, dict) and type(meters.get("total_input_tokens")) is int:
        return meters["total_input_tokens"] == prompt, True
    return provider not in CACHE_BESIDE, False


def _event(record: Mapping[str, Any], event_id: str) -> dict[str, Any]:
    model = text(record.get("model"))
    told = record.get("cost")
    cost = cost_fields(money(told) if told else None)
    fields, labels = fields_of(tuple(pairs_of(record.get("metadata"))))
    origin = text(record.get("source"))
    event = call(
        event_id=event_id,
        source=NAME,
        started_at=instant(record.get("timestamp"), "timestamp"),
        provider=provider_of(text(record.get("provider"))) or maker_of(model) or UNKNOWN,
        model=model or UNKNOWN,
        endpoint=text(record.get("endpoint")),
        status="error" if record.get("status") in ("error", "failure", "failed") else None,
        user=text(record.get("user_id")),
        session=text(record.get("session_label")),
        key_id=text(record.get("api_key_id")),
        latency_ms=whole_ms(record.get("duration_ms", record.get("latency_ms"))),
        **cost,
    )
    event |= fields
    event["labels"] = {**cost.get("labels", {}), **labels, **({"origin": origin} if origin else {})}
    return event
