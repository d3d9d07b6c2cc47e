"""What providers really sent, as a provider of the tests sends it again."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.provider import answer
from meter.usage.recorded import body, entries

INDEX: list[dict[str, Any]] = entries()
needs_recordings = pytest.mark.skipif(not INDEX, reason="no recorded responses in ../shared/data")
_UPSTREAMS = {"aws-bedrock": "bedrock", "google-gemini": "gemini"}
MORE = ("cohere", "deepseek", "openrouter", "ollama")


def entry_of(name: str) -> dict[str, Any]:
    return next(one for one in INDEX if one["id"] == name)


def upstream_of(entry: dict[str, Any]) -> str:
    """The upstream of the tests that speaks as this provider does."""
    return _UPSTREAMS.get(entry["provider"], entry["provider"])


def more_upstreams(url: str) -> list[dict[str, str]]:
    """Upstreams of providers that speak nearly as OpenAI does."""
    return [
        {"name": name, "kind": "openai", "provider": name, "url": url, "key_file": "real.secret"}
        for name in MORE
    ]


def replayed(entry: dict[str, Any], chunks: int = 0) -> list[Any]:
    """The answer of a recording: with its length, or in chunks of so many bytes."""
    told = entry["response_headers"] or {}
    headers = {name.replace("-", "_"): value for name, value in told.items()}
    data = body(entry)
    if not chunks:
        return answer(data, entry["content_type"], **headers)
    pieces = [data[at : at + chunks] for at in range(0, len(data), chunks)]
    return answer(pieces, entry["content_type"], **headers)
