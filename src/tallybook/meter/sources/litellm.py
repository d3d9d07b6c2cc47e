"""LiteLLM: spend logs in both transports, logging payloads, and logs of calls through its client.

A row of `LiteLLM_SpendLogs` comes from the API with objects in it, from a pub/sub topic with the
same objects as JSON text. A `StandardLoggingPayload` has the same names for most things. Usage is
in LiteLLM's own convention, whoever served (`flattened.py`), unless the provider's body was kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from pathlib import Path as FilePath
from typing import Any, Final

import msgspec

from tallybook.errors import EventError, TallybookError
from tallybook.meter.explain import shown
from tallybook.meter.model import NOBODY
from tallybook.meter.sources.calls import UNKNOWN, ZERO, call, with_reading, with_usage
from tallybook.meter.sources.flattened import CONVENTIONS, tokens_of
from tallybook.meter.sources.foreign import Foreign, Told
from tallybook.meter.sources.litellm_ids import ASKED, ids_of, without_poll
from tallybook.meter.sources.litellm_models import provider_and_model
from tallybook.meter.sources.litellm_plain import Plain
from tallybook.meter.sources.source import Reading
from tallybook.meter.sources.tags import (
    Pair,
    cost_fields,
    fields_of,
    instant,
    money,
    pairs_of,
    text,
)
from tallybook.meter.usage.read import read_body

NAME: Final = "litellm"
_DROPPED: Final = frozenset(
    {
        *("user", "end_user", "requester_ip_address", "messages", "response", ASKED),
        "proxy_server_request",
    }
)
_DROPPED_METADATA: Final = frozenset(
    {
        *("user_api_key_user_id", "user_api_key_user_email", "user_api_key_end_user_id"),
        *("requester_ip_address", "requester_metadata", "requester_custom_headers"),
    }
)
_CONVENTION: Final = CONVENTIONS[NAME]
_OBJECTS: Final = ("metadata", "request_tags", "response", "proxy_server_request")
_DECODER: Final = msgspec.json.Decoder(float_hook=Decimal)
_NOTHING: Final[Mapping[str, Any]] = {}
_OPERATION_OF: Final = {
    **dict.fromkeys(("completion", "text_completion", "responses", "anthropic_messages"), "chat"),
    **dict.fromkeys(("generate_content", "generate_content_stream"), "chat"),
    "embedding": "embedding",
    "image_generation": "image",
    "image_edit": "image",
    "transcription": "transcription",
    "speech": "speech",
    "rerank": "rerank",
    "moderation": "moderation",
    "ocr": "ocr",
    "retrieve_batch": "batch",
    "get_responses": "chat",
}
_CHAT: Final = frozenset({"chat", "batch"})
_MANAGING: Final = frozenset(
    {
        *("create_file", "list_files", "file_list", "file_retrieve", "file_delete", "file_content"),
        *("create_batch", "list_batches", "cancel_batch", "delete_responses", "list_input_items"),
        *("retrieve_batch", "get_responses", "list_mcp_tools", "vector_store_create"),
    }
)
"""Call types that use nothing by themselves; without usage they are no calls."""

_TOOL: Final = "call_mcp_tool"
_BATCH_CONTEXT_MAX: Final = 100_000  # the lowest threshold of a long-context price
_TAG_HEADERS: Final = ("x-litellm-spend-logs-metadata", "x-litellm-tags")
_WALKED: Final = ("requester_metadata", "litellm_metadata", "user_api_key_auth_metadata")


def open_files(files: Sequence[FilePath]) -> Foreign:
    """Spend logs, logging payloads and client logs, as JSON lines, an array or one object.

    Raises:
        EventError: a file cannot be opened; nothing was read.
    """
    return _Rows(NAME, files, translate, prepare=prepare, open_page=open_page)


class _Rows(Foreign):
    """Plain rows the short way, all others the general one; what is kept tells of no person."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._plain = Plain(_shared)

    def readings(self, place: str, record: dict[str, Any]) -> Iterator[Reading]:
        plain = self._plain_reading(place, record)
        if plain:
            yield plain
            return
        for reading in super().readings(place, record):
            is_kept = reading.record is not record
            yield reading._replace(record=kept(reading.record)) if is_kept else reading

    def _plain_reading(self, place: str, record: dict[str, Any]) -> Reading | None:
        try:
            metadata = _metadata(record)
            event = self._plain.read(record, metadata)
            return Reading(place, kept(record, metadata), event) if event else None
        except TallybookError:  # the general way says what is wrong
            return None


def _metadata(record: Mapping[str, Any]) -> Mapping[str, Any]:
    told = record.get("metadata")
    if type(told) is str:
        told = _object(told, "metadata")
    return told if type(told) is dict else _NOTHING


def kept(record: Mapping[str, Any], metadata: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What stays of a row: nobody's name, no prompt, and nothing that is absent.

    LiteLLM writes absence as null in one transport and as '' in the other.

    Args:
        record: a row.
        metadata: its metadata, opened; None: as it stands in the row.
    """
    rest = _told(record, _DROPPED)
    held = rest.get("metadata") if metadata is None else metadata
    if type(held) is dict:
        rest["metadata"] = _told(held, _DROPPED_METADATA)
    tags = rest.get("request_tags")
    if type(tags) is str:
        rest["request_tags"] = _tags_of(tags)
    return rest


def _told(record: Mapping[str, Any], dropped: frozenset[str]) -> dict[str, Any]:
    # None is asked for first: most of what is absent is, and comparing it with 0 takes longest.
    return {
        name: value
        for name, value in record.items()
        if (value or (value is not None and value == 0)) and name not in dropped
    }


@lru_cache(maxsize=4096)
def _tags_of(told: str) -> Any:
    """Tags in their JSON text; rows share them, and nobody changes them."""
    return _object(told, "request_tags")


def open_page(record: dict[str, Any]) -> Sequence[object] | None:
    """The rows of an answer of ``GET /spend/logs/v2``."""
    held = record.get("data")
    return held if isinstance(held, list) and "startTime" not in record else None


def prepare(record: dict[str, Any]) -> dict[str, Any]:
    """A record with objects in place of their JSON text, without prompts where it is a client log.

    Raises:
        EventError: such a text is no JSON.
    """
    if "startTime" not in record and isinstance(record.get("response"), dict):
        return _client_log(record)
    kept = dict(record)
    for name in _OBJECTS:
        told = kept.get(name)
        if type(told) is str:
            kept[name] = _object(told, name)
    return without_poll(kept)


def _object(told: str, name: str) -> Any:
    if told in ("", "{}", "[]", "null"):
        return None
    try:
        return _DECODER.decode(told)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        if name == "response":  # LiteLLM cuts long ones
            return None
        raise EventError(
            f"{name} is text that is no JSON: {shown(told)}",
            next_step="export the rows whole; LiteLLM writes an object or JSON text there",
        ) from error


def _client_log(record: dict[str, Any]) -> dict[str, Any]:
    """What is kept of a client's log of one completion: all but prompts, tools and answers."""
    response = record["response"]
    bulky = ("choices", "output", "content")
    arguments = record.get("kwargs")
    extra = arguments.get("extra_body") if isinstance(arguments, dict) else None
    metadata = extra.get("metadata") if isinstance(extra, dict) else None
    kept: dict[str, Any]
    kept = {name: record[name] for name in ("cost", "timestamp", "latency_sec") if name in record}
    kept["response"] = {name: value for name, value in response.items() if name not in bulky}
    return {"client_log": kept, "metadata": metadata if isinstance(metadata, dict) else {}}


def translate(record: dict[str, Any]) -> Iterator[Told]:
    """What a prepared record tells.

    Raises:
        EventError: it is no row of LiteLLM's, or its figures contradict each other.
    """
    if "client_log" in record:
        yield from _completion(record["client_log"], _object_of(record, "metadata"))
        return
    if "startTime" not in record and ASKED not in record:
        raise EventError(
            "this is no row of LiteLLM: it has no startTime",
            next_step="export GET /spend/logs?summarize=false, the LiteLLM_SpendLogs table, or"
            " standard logging payloads",
        )
    if "models" in record and "users" in record:
        raise EventError(
            "this is a daily summary of LiteLLM, not a row of a call",
            next_step="export GET /spend/logs with summarize=false",
        )
    yield from _row(record)


def _row(record: dict[str, Any]) -> Iterator[Told]:
    metadata = _object_of(record, "metadata")
    call_type = text(record.get("call_type")).removeprefix("a")
    operation = _OPERATION_OF.get(call_type, text(record.get("call_type")))
    hit = str(record.get("cache_hit")).lower() == "true"
    usage = _usage_object(record, metadata)
    tokens = tokens_of(usage, _CONVENTION)
    used = bool(tokens) and any(tokens.values()) if tokens else False
    failed = record.get("status", metadata.get("status")) == "failure"
    if call_type in _MANAGING and not used:
        return
    event = _event(record, metadata, operation, hit=hit)
    if failed:
        event["status"] = "error"
    if hit:
        event["labels"]["cache_hit"] = "true"
        yield with_usage(event, ZERO)
        return
    if call_type == _TOOL:
        tool = text(record.get("mcp_namespaced_tool_name"))
        event |= {"provider": NOBODY, "model": NOBODY, "operation": "execute_tool"}
        yield Told(event | call(service=tool), "span")
        return
    body = _provider_body(record, metadata, event["provider"])
    if body is not None:
        yield from _from_body(event, body, metadata, tokens if used else None)
        return
    units = _units(usage)
    if operation == "batch":
        event["tier"] = "batch"
    state = _state(usage, record, tokens, operation)
    yield with_usage(event, tokens if used else None, units, usage=state)


def _event(
    record: Mapping[str, Any], metadata: Mapping[str, Any], operation: str, *, hit: bool
) -> dict[str, Any]:
    fields, labels = _shared(record, metadata)
    ids = ids_of(record, metadata, provider=fields["provider"], cached=hit)
    cost = _cost(record, metadata)
    more: dict[str, Any] = cost_fields(cost) if cost is not None else {}
    event = fields | call(
        event_id=ids.event_id,
        started_at=instant(record.get("startTime", record.get(ASKED)), "startTime"),
        ended_at=instant(record.get("endTime"), "endTime"),
        operation=operation,
        response_id=ids.response_id,
        request_id=ids.request_id,
        operation_id=ids.operation_id,
        attempt=_attempt(metadata),
        trace_id=text(record.get("trace_id")),
        latency_ms=record.get("request_duration_ms"),
        **more,
    )
    _add_people(event, record, metadata, _PEOPLE)
    own = {"call_id": ids.call_id} if ids.call_id else {}
    event["labels"] = {**more.get("labels", _NOTHING), **labels, **_labels(metadata), **own}
    return event


def _shared(
    record: Mapping[str, Any], metadata: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, str]]:
    """What rows of one key, tag set and model have in common: fields and labels."""
    provider, model = provider_and_model(record, metadata)
    fields, labels = fields_of(_tags(record, metadata))
    call_type = text(record.get("call_type"))
    event = call(
        source=NAME,
        provider=provider or UNKNOWN,
        model=model or UNKNOWN,
        model_requested=text(record.get("model_group")),
        operation=_OPERATION_OF.get(call_type.removeprefix("a"), call_type),
        endpoint=text(metadata.get("user_api_key_request_route")),
    )
    event |= fields
    _add_people(event, record, metadata, _OWNERS)
    return event, {**labels, **_owner_labels(metadata)}


def _add_people(
    event: dict[str, Any],
    record: Mapping[str, Any],
    metadata: Mapping[str, Any],
    columns: Mapping[str, Sequence[tuple[bool, str]]],
) -> None:
    """Who was there, unless a tag says it."""
    for name, places in columns.items():
        if name in event:
            continue
        for inside, key in places:
            said = (metadata if inside else record).get(key)
            if type(said) is str and said:
                event[name] = said
                break


_OWNERS: Final = {  # field: (in metadata, key), the first that holds something
    "team": (
        (True, "user_api_key_team_alias"),
        (False, "team_id"),
        (True, "user_api_key_team_id"),
    ),
    "service": ((False, "agent_id"),),
    "key_id": ((True, "user_api_key_alias"), (False, "api_key"), (True, "user_api_key_hash")),
}
_PEOPLE: Final = {
    "customer": ((False, "end_user"), (True, "user_api_key_end_user_id")),
    "user": ((False, "user"), (True, "user_api_key_user_id")),
    "session": ((False, "session_id"),),
}


def _tags(record: Mapping[str, Any], metadata: Mapping[str, Any]) -> tuple[Pair, ...]:
    """Tags from every place in which some route leaves them, the most telling first."""
    pairs: list[Pair] = []
    for told in (metadata.get("spend_logs_metadata"), record.get("request_tags")):
        if told:
            pairs += pairs_of(told)
    told = metadata.get("tags")
    if told:
        pairs += pairs_of(told)
    for name in _WALKED:
        told = metadata.get(name)
        if told and isinstance(told, dict):
            pairs += pairs_of({key: value for key, value in told.items() if key != "tags"})
            pairs += pairs_of(told.get("tags"))
    headers = metadata.get("requester_custom_headers")
    if headers and isinstance(headers, dict):
        pairs += _header_tags(headers)
    request = record.get("proxy_server_request")
    if request and isinstance(request, dict):
        pairs += _request_tags(request)
    return tuple(pairs)


def _header_tags(headers: Mapping[str, Any]) -> Iterator[Pair]:
    plain = {name.lower(): value for name, value in headers.items() if isinstance(value, str)}
    for name in _TAG_HEADERS:
        told = plain.get(name, "")
        yield from pairs_of(told if told[:1] in ("{", "[") else [*filter(None, told.split(","))])


def _request_tags(request: Mapping[str, Any]) -> Iterator[Pair]:
    """Tags of a stored request: in the body's metadata, where some routes leave them only."""
    body = request["body"] if isinstance(request.get("body"), dict) else request
    for name in ("metadata", "litellm_metadata"):
        told = body.get(name)
        if isinstance(told, dict):
            yield from pairs_of({key: value for key, value in told.items() if key != "tags"})
            yield from pairs_of(told.get("tags"))
    yield from pairs_of(body.get("tags"))


def _owner_labels(metadata: Mapping[str, Any]) -> dict[str, str]:
    labels = {}
    for name, label in _LABELS:
        said = metadata.get(name)
        if type(said) is str and said:
            labels[label] = said
    return labels


def _labels(metadata: Mapping[str, Any]) -> dict[str, str]:
    labels = {}
    if said := text(metadata.get("original_model_group")):
        labels["fallback_of"] = said
    models = metadata.get("batch_models")
    if models and isinstance(models, list):
        labels["batch_models"] = ",".join(filter(None, map(text, models)))
    error = metadata.get("error_information")
    if error and isinstance(error, dict) and (said := text(error.get("error_class"))):
        labels["error"] = said
    return labels


_LABELS: Final = (
    ("user_api_key_team_id", "team_id"),
    ("user_api_key_project_id", "project_id"),
    ("user_api_key_org_id", "organization_id"),
)


def _attempt(metadata: Mapping[str, Any]) -> int | None:
    """Which attempt of its operation: the first, plus the retries and fallbacks before it."""
    retries, fallbacks = metadata.get("attempted_retries"), metadata.get("attempted_fallbacks")
    if retries is None and fallbacks is None:
        return None
    before = [each for each in (retries, fallbacks) if type(each) is int and each > 0]
    return 1 + sum(before)


def _cost(record: Mapping[str, Any], metadata: Mapping[str, Any]) -> str | None:
    """The provider's cost as LiteLLM reckons it.

    ``spend`` and ``response_cost`` hold the company's own margin and discount; ``original_cost``
    does not. A cost of 0 is what LiteLLM writes when it knows no price: that says nothing.
    """
    breakdown = record.get("cost_breakdown") or metadata.get("cost_breakdown")
    told = breakdown.get("original_cost") if isinstance(breakdown, dict) else None
    if told is None:
        told = record.get("spend", record.get("response_cost"))
    return money(told) if told else None


def _usage_object(record: Mapping[str, Any], metadata: Mapping[str, Any]) -> Mapping[str, Any]:
    told = metadata.get("usage_object")
    if isinstance(told, dict) and told:
        return told
    more = metadata.get("additional_usage_values")
    flat = {name: record.get(name) for name in _TOTALS}
    return {**more, **flat} if isinstance(more, dict) else flat


_TOTALS: Final = ("prompt_tokens", "completion_tokens", "total_tokens")


def _state(
    usage: Mapping[str, Any],
    record: Mapping[str, Any],
    tokens: Mapping[str, int | None] | None,
    operation: str,
) -> str:
    """How sure the figures are.

    Columns alone do not say what came from the cache, and a batch's sum does not say which of its
    requests were long: either leaves the price open, so the figures are an estimate.
    """
    if operation == "batch" and tokens:
        read = sum(count or 0 for name, count in tokens.items() if name not in _WRITTEN)
        return "estimated" if read > _BATCH_CONTEXT_MAX else "reported"
    alone = usage.keys() <= set(_TOTALS) and not isinstance(
        _object_of(record, "metadata").get("usage_object"), dict
    )
    told = "additional_usage_values" in _object_of(record, "metadata")
    return "estimated" if alone and not told and operation in _CHAT and tokens else "reported"


_WRITTEN: Final = frozenset({"output", "audio_output", "image_output", "reasoning"})


def _units(usage: Mapping[str, Any]) -> dict[str, int]:
    units: dict[str, int] = {}
    for unit, path in _UNITS:
        here: Any = usage
        for key in path:
            here = here.get(key) if isinstance(here, dict) else None
        if type(here) is int and here > 0:
            units.setdefault(unit, here)
    return units


_UNITS: Final = (
    ("web_search", ("server_tool_use", "web_search_requests")),
    ("web_search", ("prompt_tokens_details", "web_search_requests")),
    ("page", ("pages_processed",)),
)


def _provider_body(
    record: Mapping[str, Any], metadata: Mapping[str, Any], provider: str
) -> Mapping[str, Any] | None:
    """The provider's own response, if it was kept as it came.

    A chat completion is LiteLLM's own making; a Messages or Responses object with the usage of that
    API is the provider's.
    """
    response = record.get("response")
    if not isinstance(response, dict) or not isinstance(response.get("usage"), dict):
        return None
    native = response.get("type") == "message" or response.get("object") == "response"
    if not native or "input_tokens" not in response["usage"] or metadata.get("batch_models"):
        return None
    return response if provider != UNKNOWN else None


def _from_body(
    event: dict[str, Any],
    body: Mapping[str, Any],
    metadata: Mapping[str, Any],
    flat: Mapping[str, int | None] | None,
) -> Iterator[Told]:
    """Read a kept body; where it has no usage that can be read, LiteLLM's own figures stand."""
    shape = "anthropic" if body.get("type") == "message" else "openai"
    provider = event["provider"]
    reading = read_body(
        body,
        provider=provider if provider in ("anthropic", "aws", "azure", "openai") else shape,
        endpoint="/v1/messages" if shape == "anthropic" else "/v1/responses",
        model=event["model"],
    )
    event["labels"].update({"read_from": "response"})
    named = {name: event[name] for name in ("response_id", "request_id") if name in event}
    if not any(part.tokens for part in reading.parts):
        usage = "reported" if "usage_object" in metadata else "estimated"
        yield with_usage(event, flat, usage=usage)
        return
    for told in with_reading(event, reading):
        suffix = told.canonical["event_id"].removeprefix(event["event_id"])
        again = {name: value + suffix * (name == "response_id") for name, value in named.items()}
        yield Told(told.canonical | again, told.role)


def _completion(log: Mapping[str, Any], metadata: Mapping[str, Any]) -> Iterator[Told]:
    """A completion as a client of the gateway logged it, with its time, cost and latency."""
    response = _object_of(log, "response")
    usage = _object_of(response, "usage")
    named = {"model": response.get("model"), "request_tags": metadata.get("tags")}
    provider, model = provider_and_model(named, metadata)
    own = {"id": response.get("id")}
    ids = ids_of(own, _NOTHING, provider=provider, cached=False, keyless=log)
    fields, labels = fields_of(tuple(pairs_of(metadata.get("tags"))) + tuple(pairs_of(metadata)))
    cost = cost_fields(money(log.get("cost"))) if log.get("cost") else {}
    # The log is written after the call; `created` is the stated instant nearest to its start.
    event = call(
        event_id=ids.event_id,
        source=NAME,
        started_at=instant(response.get("created", log.get("timestamp")), "response.created"),
        ended_at=instant(log.get("timestamp"), "timestamp"),
        provider=provider or UNKNOWN,
        model=model or UNKNOWN,
        model_requested=text(response.get("model")),
        operation="chat",
        tier=text(response.get("service_tier")),
        response_id=ids.response_id,
        request_id=ids.request_id,
        **cost,
    )
    event |= fields
    event["labels"] = {**cost.get("labels", {}), **labels}
    tokens = tokens_of(usage, _CONVENTION)
    used = tokens if tokens and any(tokens.values()) else None
    yield with_usage(event, used, _units(usage))


def _object_of(record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    told = record.get(name)
    return told if isinstance(told, dict) else _NOTHING
