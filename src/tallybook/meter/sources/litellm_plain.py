"""The plain row of LiteLLM, read fast: what most rows of most logs are.

A row is plain if it is a success that no cache answered, with a usage object of prompt, completion
and cached tokens, and nothing that needs a second look. What rows of one key, tag set and model
have in common is worked out once, by the general reader. A row that is not plain is left to that
reader; tests hold the two to the same answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, Literal

from msgspec.structs import replace

from tallybook.clock import parse_instant
from tallybook.meter.model import ReportedCost, UsageEvent
from tallybook.meter.read import read_event
from tallybook.meter.sources.litellm_ids import is_invented

Shared = Callable[[Mapping[str, Any], Mapping[str, Any]], tuple[dict[str, Any], dict[str, str]]]
"""Fields and labels that rows have in common, of a row and its metadata."""

_KNOWN_MAX: Final = 16_384
_COUNT_SAFE: Final = 2**53
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
        self._known: dict[tuple[object, ...], UsageEvent] = {}

    def read(self, record: Mapping[str, Any], metadata: Mapping[str, Any]) -> UsageEvent | None:
        """The event of a plain row; None of any other.

        Raises:
            EventError: what rows have in common is nothing that an event can say.
        """
        tokens = _tokens(metadata.get("usage_object"))
        if tokens is None or not _is_plain(record, metadata):
            return None
        started_us = _instant_us(record["startTime"])
        ended_us = _instant_us(record.get("endTime"))
        cost = _cost(record.get("spend"))
        if started_us is None or ended_us is None or ended_us < started_us or cost is _ODD:
            return None
        own = record["request_id"]
        template = self._common(record, metadata)
        invented = is_invented(own, template.provider)
        return replace(
            template,
            event_id=own,
            response_id=None if invented else own,
            request_id=own if invented else None,
            started_us=started_us,
            ended_us=ended_us,
            customer=template.customer or _said(record, metadata, "end_user", _END_USER),
            user=template.user or _said(record, metadata, "user", _USER),
            session=template.session or _said(record, metadata, "session_id", ""),
            reported_cost=cost,
            tokens=tokens,
        )

    def _common(self, record: Mapping[str, Any], metadata: Mapping[str, Any]) -> UsageEvent:
        """An event of what such rows have in common, checked once."""
        told, tags = metadata.get("spend_logs_metadata"), record.get("request_tags")
        key = (
            *map(record.get, _ROW_KEYS),
            *map(metadata.get, _METADATA_KEYS),
            repr(told) if told else None,
            repr(tags) if tags else None,
        )
        if not _NAMES.issuperset(map(type, key)):  # something odd in the place of a name
            return self._made(record, metadata)
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= _KNOWN_MAX:
                self._known.clear()
            found = self._known[key] = self._made(record, metadata)
        return found

    def _made(self, record: Mapping[str, Any], metadata: Mapping[str, Any]) -> UsageEvent:
        fields, labels = self._shared(record, metadata)
        return read_event(fields | _SAMPLE | {"labels": labels})


_ROW_KEYS: Final = (
    *("call_type", "custom_llm_provider", "model", "model_group", "api_base", "api_key"),
    "team_id",
)
_METADATA_KEYS: Final = (
    *("user_api_key_alias", "user_api_key_hash", "user_api_key_team_alias"),
    *("user_api_key_team_id", "user_api_key_project_id", "user_api_key_org_id"),
    "user_api_key_request_route",
)
_END_USER: Final = "user_api_key_end_user_id"
_USER: Final = "user_api_key_user_id"
_SAMPLE: Final = {"event_id": "sample", "started_at": "2026-01-01T00:00:00Z"}


def _said(
    record: Mapping[str, Any], metadata: Mapping[str, Any], name: str, other: str
) -> str | None:
    for said in (record.get(name), metadata.get(other)):
        if type(said) is str and said:
            return said
    return None


def _cost(spend: object) -> ReportedCost | Literal["odd"] | None:
    if not spend:
        return None
    if type(spend) is not Decimal:
        return _ODD
    told = str(spend)
    return ReportedCost(told, "USD") if _PLAIN_DECIMAL.fullmatch(told) else _ODD


_ODD: Final = "odd"
_PLAIN_DECIMAL: Final = re.compile(r"[0-9]{1,12}\.[0-9]{1,36}")


def _instant_us(told: object) -> int | None:
    """An instant of the forms that LiteLLM writes, to the microsecond; None of any other."""
    if type(told) is not str:
        return None
    if len(told) == _INSTANT_CHARACTERS and told[16] == ":" and told[19] == ".":
        minute_us, digits = _minute_us(told[:16]), told[17:19] + told[20:]
        if minute_us is not None and told[17] < "6" and digits.isascii() and digits.isdigit():
            return minute_us + int(digits)  # seconds with six decimals
    found = _INSTANT.fullmatch(told)
    if found is None:
        return None
    minute, second, fraction = found.groups()
    return parse_instant(f"{minute}:{second}Z") + int((fraction or "")[:6].ljust(6, "0"))


_INSTANT: Final = re.compile(
    r"(20[0-9]{2}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}):([0-5][0-9])(?:\.([0-9]{1,9}))?Z?",
    re.ASCII,
)
_INSTANT_CHARACTERS: Final = len("2026-10-03 10:00:00.123456")
_MINUTE: Final = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}", re.ASCII)


@lru_cache(maxsize=4096)
def _minute_us(told: str) -> int | None:
    """The beginning of a minute of UTC; None of anything else.

    Raises:
        ClockError: there is no such day or hour.
    """
    return parse_instant(f"{told}:00Z") if _MINUTE.fullmatch(told) else None


def _is_plain(record: Mapping[str, Any], metadata: Mapping[str, Any]) -> bool:
    own = record.get("request_id")
    return (
        type(own) is str
        and own != ""
        and "\0" not in own
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
    if type(prompt) is not int or type(output) is not int or not (prompt or output):
        return None
    read, written = usage.get("prompt_tokens_details"), usage.get("completion_tokens_details")
    cached = _only(read, "cached_tokens") if read else 0
    reasoning = _only(written, "reasoning_tokens") if written else 0
    if cached is None or reasoning is None:
        return None
    summed = not (cached or reasoning) or usage.get("total_tokens") == prompt + output
    if not (summed and cached <= prompt <= _COUNT_SAFE and reasoning <= output <= _COUNT_SAFE):
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
