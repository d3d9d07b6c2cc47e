"""The provider's own words, where an instrumentation copied them into a span.

They are read by `tallybook.meter.usage`, like any response, and come before the figures that the
instrumentation made of them: they hold the response's id, the tier, cache writes by time to live.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from tallybook.meter.sources.otel.dialects import Found
from tallybook.meter.sources.tags import parsed
from tallybook.meter.usage.conventions import tier_of
from tallybook.meter.usage.model import UsageReading
from tallybook.meter.usage.read import read_body

_OF_A_RESPONSE: Final = frozenset({"usage", "usageMetadata", "usage_metadata", "choices"})
_SNAKE: Final = re.compile(r"_([a-z])")


def words_of(found: Found, provider: str, model: str) -> UsageReading | None:
    """What the body of the response says, if the span holds one.

    What only the Vercel AI SDK's ``providerMetadata`` says is added to ``found``.
    """
    told = found.told
    if "provider_metadata" in told:
        return _vercel(found, provider, model)
    body = parsed(told["body"]) if type(told.get("body")) is str else None
    if not isinstance(body, dict):
        return None
    if isinstance(body.get("usage_metadata"), dict):  # Google's SDK in Python writes snake case
        body = {**_camel(body), "usageMetadata": _camel(body["usage_metadata"])}
    if _OF_A_RESPONSE.isdisjoint(body) and body.get("type") != "message":
        return None
    return read_body(body, provider=provider, model=model)


def _vercel(found: Found, provider: str, model: str) -> UsageReading | None:
    metadata = parsed(str(found.told["provider_metadata"]))
    reading = None
    for said in metadata.values() if isinstance(metadata, dict) else ():
        if not isinstance(said, dict):
            continue
        _add(found, "response_id", said.get("responseId"))
        _add(found, "tier", tier_of(said.get("serviceTier")) or None)
        _add(found, "cache_read", said.get("cachedPromptTokens"))
        _add(found, "cache_write", said.get("cacheCreationInputTokens"))
        _add(found, "reasoning", said.get("reasoningTokens"))
        usage = said.get("usage")
        if isinstance(usage, dict) and "input_tokens" in usage:
            reading = read_body({"usage": usage}, provider=provider, model=model)
        elif isinstance(usage, dict):
            _add(found, "cache_read", usage.get("cacheReadInputTokens"))
            _add(found, "cache_write", usage.get("cacheWriteInputTokens"))
        elif isinstance(said.get("usageMetadata"), dict):
            body = {"usageMetadata": said["usageMetadata"]}
            reading = read_body(body, provider=provider, model=model)
    return reading


def _add(found: Found, row: str, value: object) -> None:
    if value is not None and value != "" and row not in found.told:
        found.told[row] = value
        found.names[row] = f"providerMetadata.{row}"


def _camel(told: Any) -> Any:
    """Keys in camel case, as the API itself writes them."""
    if isinstance(told, Mapping):
        return {
            _SNAKE.sub(lambda letter: letter[1].upper(), str(key)): _camel(value)
            for key, value in told.items()
        }
    return [_camel(each) for each in told] if isinstance(told, list) else told
