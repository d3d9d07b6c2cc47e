"""Google: Gemini and Vertex in their own words, Live, embeddings, caches, Interactions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tallybook.clock import parse_instant
from tallybook.errors import ClockError
from tallybook.meter.usage.conventions import GEMINI, GEMINI_EMBEDDING, INTERACTIONS, tier_of
from tallybook.meter.usage.draft import Draft
from tallybook.meter.usage.figures import at, count, items, text

_DETAILS: Final = {
    "promptTokensDetails": ("promptTokensDetails", "input_{}_tokens"),
    "promptTokenDetails": ("promptTokensDetails", "input_{}_tokens"),  # embeddings say it so
    "cacheTokensDetails": ("cacheTokensDetails", "cache_{}_read_tokens"),
    "candidatesTokensDetails": ("candidatesTokensDetails", "output_{}_tokens"),
    "responseTokensDetails": ("candidatesTokensDetails", "output_{}_tokens"),  # Live
}
_PLAIN: Final = frozenset({"TEXT"})
_US_PER_S: Final = 1_000_000
_BY_PROMPT: Final = ("gemini-1", "gemini-2")  # one fee for a grounded prompt, not for each query


def read_gemini(body: Mapping[str, Any], draft: Draft) -> None:
    """generateContent, a chunk of its stream, a message of Live, an embedding, a cache."""
    draft.model = draft.model or text(body.get("modelVersion"))
    draft.response_id = draft.response_id or text(body.get("responseId"))
    usage = body.get("usageMetadata")
    if not isinstance(usage, dict):
        _predictions(body, draft)
        return
    if "cachedContents/" in text(body.get("name")):
        _cached_content(body, usage, draft)
        return
    draft.tier = draft.tier or tier_of(usage.get("trafficType") or usage.get("serviceTier"))
    plain, extras = _by_modality(usage)
    embedding = "embedding" in body or "embeddings" in body or "promptTokenDetails" in usage
    tokens = draft.tokens(plain, GEMINI_EMBEDDING if embedding else GEMINI)
    draft.extras |= extras
    draft.add(tokens, _grounding(body, draft))


def _by_modality(usage: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, int]]:
    """Lists of modality and count as objects; and what is worth telling: more than plain text."""
    plain = dict(usage)
    extras: dict[str, int] = {}
    for told, (name, label) in _DETAILS.items():
        rows = usage.get(told)
        if not isinstance(rows, list):
            continue
        split: dict[str, int] = {}
        for row in items(rows):
            kind = text(row.get("modality"))
            number = count(row.get("tokenCount"), told) or 0
            split[kind] = split.get(kind, 0) + number
        # A page of a document is an image to the model and to the price.
        if "DOCUMENT" in split:
            split["IMAGE"] = split.get("IMAGE", 0) + split.pop("DOCUMENT")
        plain[name] = split
        if split.keys() - _PLAIN:
            extras |= {label.format(kind.lower()): n for kind, n in split.items() if n}
    tools = count(usage.get("toolUsePromptTokenCount"), "toolUsePromptTokenCount")
    if tools:
        extras["tool_use_prompt_tokens"] = tools
    return plain, extras


def _grounding(body: Mapping[str, Any], draft: Draft) -> dict[str, int | None]:
    """Fees of grounding: searches of the web, and maps."""
    queries, maps = 0, 0
    for candidate in items(body.get("candidates")):
        found = candidate.get("groundingMetadata")
        if not isinstance(found, dict):
            continue
        asked = found.get("webSearchQueries")
        queries += sum(bool(one) for one in asked) if isinstance(asked, list) else 0
        maps |= any("maps" in chunk for chunk in items(found.get("groundingChunks")))
    if queries and draft.billed.startswith(_BY_PROMPT):
        queries = 1
    found_units = {"web_search": queries, "maps_search": int(maps)}
    return {name: number for name, number in found_units.items() if number}


def _cached_content(body: Mapping[str, Any], usage: Mapping[str, Any], draft: Draft) -> None:
    """A cache that was made: its tokens are paid for the time that they are kept."""
    held = count(usage.get("totalTokenCount"), "totalTokenCount")
    if held is None:
        return
    draft.extras["cached_content_tokens"] = held
    seconds = _lifetime_s(body)
    draft.estimated = True
    draft.notes.append("a cache is paid by the time that it is kept; it may end sooner or later")
    draft.add(None, {"cached_token_s": None if seconds is None else held * seconds})


def _lifetime_s(body: Mapping[str, Any]) -> int | None:
    try:
        begins, ends = (
            parse_instant(text(body.get(name))) for name in ("createTime", "expireTime")
        )
    except ClockError:
        return None
    return max(ends - begins, 0) // _US_PER_S


def _predictions(body: Mapping[str, Any], draft: Draft) -> None:
    """Vertex predict: embeddings by token or by character, images by the piece."""
    rows = items(body.get("predictions"))
    told = [at(row, ("embeddings", "statistics", "token_count")) for row in rows]
    counts = [count(one, "token_count") for one in told]
    characters = count(at(body, ("metadata", "billableCharacterCount")), "billableCharacterCount")
    if characters:
        draft.extras["billable_characters"] = characters
    if counts and None not in counts:
        draft.add({"input_uncached": sum(one or 0 for one in counts), "output": 0})
    elif characters:
        draft.add(None, {"character": characters})
    elif images := sum("bytesBase64Encoded" in row or "gcsUri" in row for row in rows):
        draft.add(None, {"image": images})


def read_interactions(body: Mapping[str, Any], draft: Draft) -> None:
    """The Interactions API."""
    usage = body.get("usage")
    if isinstance(usage, dict):
        draft.add(draft.tokens(usage, INTERACTIONS))
