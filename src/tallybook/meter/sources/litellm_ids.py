"""Ids of LiteLLM's rows: which is the provider's, which its own, and which rows are one call.

LiteLLM keys a row by the id in the response. That is the provider's where it passes the id on, an
invented ``chatcmpl-`` with a UUID where it makes the response itself (Anthropic, Bedrock, Google),
and a wrapper around either for the Responses API. It writes a row each time somebody asks how a
batch or a stored response is doing; those are one call however often they are asked.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tallybook.meter.identity import canonical_record, record_digest
from tallybook.meter.sources.tags import text

_UUID: Final = re.compile(r"(chatcmpl-)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_UUID_MAKERS: Final = frozenset(
    {"cerebras", "deepseek", "fireworks", "groq", "moonshotai", "perplexity", "vllm", "x-ai", "zai"}
)
"""Providers whose own ids look like those that LiteLLM invents."""

_WRAPPER: Final = re.compile(rb"litellm:custom_llm_provider:.*;response_id:(?P<id>[!-~]+)")
_WRAPPED: Final = "resp_"
_BATCH: Final = "_batch_cost"
_BATCH_PATH: Final = re.compile(r"/batches/(?P<id>[^/?#]+)")
_HIT: Final = "_cache_hit"
_POLLS: Final = frozenset({"retrieve_batch", "get_responses"})
_POLL_KEEPS: Final = (
    *("call_type", "model", "model_group", "custom_llm_provider", "api_base", "api_key", "spend"),
    *("response_cost", "cost_breakdown", "prompt_tokens", "completion_tokens", "total_tokens"),
    *("team_id", "user", "end_user", "status", "request_tags", "response"),
    *("model_map_information", "proxy_server_request"),
)
_POLL_KEEPS_METADATA: Final = (
    *("user_api_key_alias", "user_api_key_hash", "user_api_key_team_id", "user_api_key_team_alias"),
    *("user_api_key_user_id", "user_api_key_project_id", "user_api_key_org_id", "batch_models"),
    *("spend_logs_metadata", "tags", "requester_metadata", "usage_object", "status"),
    *("additional_usage_values", "cost_breakdown", "response_id"),
)
_REQUEST_HEADERS: Final = (
    "llm_provider-x-request-id",
    "llm_provider-request-id",
    "llm_provider-apim-request-id",
    "llm_provider-x-amzn-requestid",
)
_POLLED: Final = "polled"
ASKED: Final = "asked_at"
"""Where a prepared poll keeps the time of the asking, which is no part of its identity."""


@dataclass(frozen=True, slots=True)
class Ids:
    """The ids of one row; '' is none. ``call_id`` is LiteLLM's own where it is another one."""

    event_id: str
    response_id: str = ""
    request_id: str = ""
    call_id: str = ""
    operation_id: str = ""


def ids_of(
    record: Mapping[str, Any],
    metadata: Mapping[str, Any],
    *,
    provider: str,
    cached: bool,
    keyless: Mapping[str, Any] | None = None,
) -> Ids:
    """The ids of a prepared row.

    Args:
        record: the row.
        metadata: of the row.
        provider: who served.
        cached: LiteLLM's own cache answered; the id in the row is that of the call it repeats.
        keyless: what the digest id of a row without any id is made of; None for the row itself.
    """
    own = text(record.get("request_id")) or text(record.get("id"))
    polled = text(record.get(_POLLED))
    key = polled or own
    call_id = text(record.get("litellm_call_id")) or text(metadata.get("litellm_call_id"))
    if not key:
        # LiteLLM#6633: rows of some streams have an empty id. They are calls all the same.
        key = f"digest:{record_digest(canonical_record(dict(keyless or record), ())).hex()}"
    if cached:
        return Ids(key, request_id=call_id or key, operation_id=call_id)
    told = text(metadata.get("response_id")) or own or polled
    inner = unwrapped(told)
    served = inner or ""
    shaped = is_invented(served, provider)
    if shaped or served == call_id or key.endswith(_BATCH) or polled.startswith("digest:"):
        served = ""
    invented = inner if inner and shaped else ""
    upstream = _provider_request_id(record)
    request_id = upstream or invented or call_id
    return Ids(
        key,
        response_id=served,
        request_id=request_id,
        call_id=next((each for each in (invented, call_id) if each and each != request_id), ""),
        operation_id=call_id,
    )


def is_invented(told: str, provider: str) -> bool:
    """Whether LiteLLM made an id up, because the provider gives none that it passes on."""
    return provider not in _UUID_MAKERS and _UUID.fullmatch(told) is not None


def unwrapped(told: str) -> str | None:
    """The id inside LiteLLM's wrapper for Responses; itself where there is none.

    None for a wrapper that cannot be opened: newer releases encrypt it anew for every answer.
    """
    if not told.startswith(_WRAPPED) or len(told) < 60:  # noqa: PLR2004 - a provider's are 53
        return told
    packed = told.removeprefix(_WRAPPED).replace("-", "+").replace("_", "/")
    try:
        plain = b64decode(packed + "=" * (-len(packed) % 4), validate=True)
    except (binascii.Error, ValueError):
        return told
    found = _WRAPPER.fullmatch(plain)
    if found:
        return found["id"].decode("ascii")
    return None if plain.startswith(b"litellm") else told


def without_poll(record: dict[str, Any]) -> dict[str, Any]:
    """A row about a batch or a stored response without what changes from one asking to the next.

    So the same answer asked for again is the same record under the same id, and a changed answer
    is a conflict that somebody sees; neither is billed twice.
    """
    if text(record.get("call_type")).removeprefix("a") not in _POLLS:
        return record
    kept: dict[str, Any] = {}
    kept.update((name, record[name]) for name in _POLL_KEEPS if name in record)
    metadata = record.get("metadata")
    if isinstance(metadata, dict):
        kept["metadata"] = {
            name: metadata[name] for name in _POLL_KEEPS_METADATA if name in metadata
        }
    if "startTime" in record:
        kept[ASKED] = record["startTime"]
    kept[_POLLED] = _polled_id(record, kept)
    return kept


def _polled_id(record: Mapping[str, Any], kept: dict[str, Any]) -> str:
    own = text(record.get("request_id")) or text(record.get("id"))
    if own.endswith(_BATCH):
        return own
    batch = _batch_id(record)
    if batch:
        return f"{batch}{_BATCH}"
    inner = unwrapped(own) if text(record.get("call_type")).endswith("get_responses") else None
    if inner and inner == own and len(own) > 60:  # noqa: PLR2004 - a wrapper that stays shut
        inner = None
    if inner:
        return inner
    told = {name: kept.get(name) for name in _SAME}
    return f"digest:{record_digest(canonical_record(told, ())).hex()}"


_SAME: Final = (
    *("call_type", "model", "custom_llm_provider", "api_key", "spend", "response_cost"),
    *("prompt_tokens", "completion_tokens", "total_tokens", "team_id"),
)


def _batch_id(record: Mapping[str, Any]) -> str:
    response = record.get("response")
    told = text(response.get("id")) if isinstance(response, dict) else ""
    if told.startswith(("batch_", "msgbatch_")):
        return told
    request = record.get("proxy_server_request")
    url = text(request.get("url")) if isinstance(request, dict) else ""
    found = _BATCH_PATH.search(url)
    return found["id"] if found else ""


def _provider_request_id(record: Mapping[str, Any]) -> str:
    hidden = record.get("hidden_params")
    headers = hidden.get("additional_headers") if isinstance(hidden, dict) else None
    if not isinstance(headers, dict):
        return ""
    return next((said for name in _REQUEST_HEADERS if (said := text(headers.get(name)))), "")
