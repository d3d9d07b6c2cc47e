"""The plain row of LiteLLM, read fast: what most rows of most logs are.

A row is plain if it is a success that no cache answered, with a usage object of prompt, completion
and cached tokens, and nothing that needs a second look. What rows of one key, tag set and model
have in common is worked out once, by the general reader. A row that is not plain is left to that
reader; tests hold the two to the same answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from tallybook.meter.sources.litellm_ids import is_invented
from tallybook.meter.sources.tags import cost_fields, instant, money

Shared = Callable[[Mapping[str, Any], Mapping[str, Any]], tuple[dict[str, Any], dict[str, str]]]
"""Fields and labels that rows have in common, of a row and its metadata."""

_KNOWN_MAX: Final = 16_384
_NAMES: Final = frozenset({str, type(None)})
_USAGE: Final = frozenset(
    {
        *("prompt_tokens", "completion_tokens", "total_tokens"),
        *("prompt_tokens_details", "completion_tokens_details"),
    }
)
_NO_HIT: Final = (None, "None", "False", "", False)
_EMPTY: Final = (None, "", "{}", "[]")
_CALLS: Final = ("acompletion", "completion", "aembedding", "embedding")
_SPECIAL_ROW: Final = (
    *("cost_breakdown", "hidden_params", "litellm_call_id", "trace_id", "model_map_information"),
    *("request_duration_ms", "agent_id", "response_cost"),
)
_SPECIAL_METADATA: Final = (
    *("cost_breakdown", "attempted_retries", "attempted_fallbacks", "error_information"),
    *("batch_models", "response_id", "litellm_call_id", "requester_metadata", "tags"),
    *("litellm_metadata", "user_api_key_auth_metadata", "requester_custom_headers"),
    "original_model_group",
)


class Plain:
    """Reads plain rows.

    Args:
        shared: what a row and its metadata say beside ids, times, people, usage and cost.
    """

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._known: dict[tuple[object, ...], tuple[dict[str, Any], dict[str, str]]] = {}

    def read(self, record: Mapping[str, Any], metadata: Mapping[str, Any]) -> dict[str, Any] | None:
        """The canonical record of a plain row; None of any other.

        Raises:
            EventError: a time is none.
        """
        tokens = _tokens(metadata.get("usage_object"))
        if tokens is None or not _is_plain(record, metadata):
            return None
        own = record["request_id"]
        fields, labels = self._common(record, metadata)
        event = dict(fields)
        event["event_id"] = own
        event["request_id" if is_invented(own, fields["provider"]) else "response_id"] = own
        event["started_at"] = instant(record["startTime"], "startTime")
        ended = instant(record.get("endTime"), "endTime")
        if ended is not None:
            event["ended_at"] = ended
        for name, key, other in _PEOPLE:
            if name not in event:
                said = record.get(key) or metadata.get(other)
                if type(said) is str and said:
                    event[name] = said
        spend = record.get("spend")
        if spend:
            amount = money(spend)
            if amount is None or amount[0] == "-":
                return None
            event |= cost_fields(amount)
        event["labels"] = labels
        event["tokens"] = tokens
        return event

    def _common(
        self, record: Mapping[str, Any], metadata: Mapping[str, Any]
    ) -> tuple[dict[str, Any], dict[str, str]]:
        told, tags = metadata.get("spend_logs_metadata"), record.get("request_tags")
        key = (
            *map(record.get, _ROW_KEYS),
            *map(metadata.get, _METADATA_KEYS),
            repr(told) if told else None,
            repr(tags) if tags else None,
        )
        if not _NAMES.issuperset(map(type, key)):  # something odd in the place of a name
            return self._shared(record, metadata)
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= _KNOWN_MAX:
                self._known.clear()
            found = self._known[key] = self._shared(record, metadata)
        return found


_ROW_KEYS: Final = (
    *("call_type", "custom_llm_provider", "model", "model_group", "api_base", "api_key"),
    "team_id",
)
_METADATA_KEYS: Final = (
    *("user_api_key_alias", "user_api_key_hash", "user_api_key_team_alias"),
    *("user_api_key_team_id", "user_api_key_project_id", "user_api_key_org_id"),
    "user_api_key_request_route",
)
_PEOPLE: Final = (
    ("customer", "end_user", "user_api_key_end_user_id"),
    ("user", "user", "user_api_key_user_id"),
    ("session", "session_id", ""),
)


def _is_plain(record: Mapping[str, Any], metadata: Mapping[str, Any]) -> bool:
    own = record.get("request_id")
    return (
        type(own) is str
        and own != ""
        and not own.startswith("resp_")
        and record.get("call_type") in _CALLS
        and record.get("status", metadata.get("status")) == "success"
        and record.get("cache_hit") in _NO_HIT
        and record.get("custom_llm_provider") not in (None, "", "azure", "litellm_proxy")
        and "startTime" in record
        and "models" not in record
        and record.get("response") in _EMPTY
        and record.get("proxy_server_request") in _EMPTY
        and not any(map(record.get, _SPECIAL_ROW))
        and not any(map(metadata.get, _SPECIAL_METADATA))
    )


def _tokens(usage: object) -> dict[str, int] | None:
    """Classes of a usage object with nothing in it but prompt, output, cached and reasoning."""
    if type(usage) is not dict or not usage.keys() <= _USAGE:
        return None
    prompt, output = usage.get("prompt_tokens"), usage.get("completion_tokens")
    read, written = usage.get("prompt_tokens_details"), usage.get("completion_tokens_details")
    if type(prompt) is not int or type(output) is not int or prompt < 0 or output < 0:
        return None
    cached = _only(read, "cached_tokens") if read else 0
    reasoning = _only(written, "reasoning_tokens") if written else 0
    if cached is None or reasoning is None or cached > prompt or reasoning > output:
        return None
    if (cached or reasoning) and usage.get("total_tokens") != prompt + output:
        return None
    if not prompt and not output:
        return None
    tokens = {"cache_read": cached} if cached else {}
    if reasoning:
        tokens["reasoning"] = reasoning
    tokens["input_uncached"] = prompt - cached
    tokens["output"] = output
    return tokens


_IGNORED: Final = frozenset(
    {"text_tokens", "accepted_prediction_tokens", "rejected_prediction_tokens"}
)


def _only(details: object, name: str) -> int | None:
    """The one count of details that is not zero; None if there is another."""
    if type(details) is not dict:
        return None
    found = 0
    for key, value in details.items():
        if not value or key in _IGNORED:
            continue
        if key != name or type(value) is not int or value < 0:
            return None
        found = value
    return found
