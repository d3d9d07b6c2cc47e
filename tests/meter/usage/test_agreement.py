"""Agreement with another reader on 1,577 real bodies, or the reason why it is right to differ.

The shared data holds, for each body, what every extractor of genai-prices that could match it makes
of it; most of these belong to another provider than the body, so each is read here as that provider's.
A difference without a reason fails, and so does a reason that explains nothing.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from meter.usage.recorded import BODIES
from tallybook.meter.usage.read import read_body
from tallybook.meter.usage.summary import summary

ENDPOINTS = {
    "chat": "/v1/chat/completions",
    "responses": "/v1/responses",
    "embeddings": "/v1/embeddings",
    "anthropic": "/v1/messages",
    "default": "",
    "tokens": "",
}
SAME = {
    "input_tokens": "input_tokens",
    "cache_read_tokens": "cache_read_tokens",
    "cache_write_tokens": "cache_write_tokens",
    "cache_write_5m_tokens": "cache_write_5m_tokens",
    "output_tokens": "output_tokens",
    "output_reasoning_tokens": "reasoning_tokens",
}
CLASSES = {
    "input_audio_tokens": ("audio_input", "cache_read_audio"),
    "output_image_tokens": ("image_output",),
    "output_audio_tokens": ("audio_output",),
}


class Case(NamedTuple):
    """One figure on which the two readers differ."""

    field: str
    flavor: str
    provider: str
    usage: dict[str, Any]
    theirs: int
    ours: int


def details(case: Case, name: str) -> bool:
    """Whether the body tells this figure inside its own input or output."""
    groups = [value for key, value in case.usage.items() if key.endswith("_details")]
    return any(isinstance(one, dict) and one.get(name) == case.ours for one in groups)


def of_anthropic(case: Case) -> bool:
    return "cache_creation_input_tokens" in case.usage


REASONS: dict[str, Callable[[Case], bool]] = {
    "anthropic: compaction and advisor iterations are billed too": lambda case: (
        "iterations" in case.usage and case.ours > case.theirs
    ),
    "anthropic: an iteration's cache writes say for how long": lambda case: (
        "iterations" in case.usage and case.field.startswith("cache_write")
    ),
    "anthropic: reasoning is told for all iterations together, not for each": lambda case: (
        len(case.usage.get("iterations", ())) > 1
        and case.field == "output_reasoning_tokens"
        and case.ours == 0
    ),
    "an extractor of Responses reads a body of Anthropic, whose cache stands beside the input": (
        lambda case: (
            of_anthropic(case)
            and case.flavor == "responses"
            and case.field in {*SAME} - {"output_tokens"}
            and case.theirs < case.ours
        )
    ),
    "the extractor has no row for audio input": lambda case: (
        case.theirs == 0 and case.field == "input_audio_tokens" and details(case, "audio_tokens")
    ),
    "the extractor has no row for searches that Anthropic ran": lambda case: (
        case.theirs == 0
        and case.field == "web_searches"
        and case.usage.get("server_tool_use", {}).get("web_search_requests") == case.ours
    ),
    "the extractor has no row for cached tokens in the details of this body": lambda case: (
        case.theirs == 0
        and case.field == "cache_read_tokens"
        and (details(case, "cached_tokens") or case.usage.get("num_cached_tokens") == case.ours)
    ),
    "the extractor has no row for cache writes in the details of this body": lambda case: (
        case.theirs == 0
        and case.field == "cache_write_tokens"
        and details(case, "cache_write_tokens")
    ),
    "the extractor has no row for where this body tells reasoning": lambda case: (
        case.theirs == 0
        and case.field == "output_reasoning_tokens"
        and (details(case, "reasoning_tokens") or details(case, "thinking_tokens"))
    ),
    "an extractor of embeddings stops at the input of a body that has output": lambda case: (
        case.flavor == "embeddings"
        and case.field == "output_tokens"
        and case.ours == case.usage.get("completion_tokens")
    ),
    "x-ai: reasoning is beside the output only where the total says so": lambda case: (
        case.provider == "x-ai"
        and case.flavor == "chat"
        and case.field == "output_tokens"
        and case.usage["prompt_tokens"] + case.ours == case.usage["total_tokens"]
    ),
    "cohere: billed units are billed, raw tokens are not": lambda case: (
        case.provider == "cohere" and case.flavor == "tokens" and "billed_units" in case.usage
    ),
    "cohere: its extractor for raw tokens reads nothing of a chat body": lambda case: (
        case.provider == "cohere" and case.flavor == "tokens" and "prompt_tokens" in case.usage
    ),
    "gemini, OpenAI-compatible: the total hides thinking that is billed": lambda case: (
        case.provider == "google"
        and case.flavor == "chat"
        and case.ours - case.theirs
        == case.usage["total_tokens"]
        - case.usage["prompt_tokens"]
        - case.usage["completion_tokens"]
    ),
}


def ours(body: dict[str, Any], provider: str, flavor: str) -> dict[str, int]:
    reading = read_body(body, provider=provider, endpoint=ENDPOINTS[flavor])
    told = summary(reading)
    found = {theirs: told[name] or 0 for theirs, name in SAME.items()}
    for theirs, classes in CLASSES.items():
        parts = [part.tokens or {} for part in reading.parts]
        found[theirs] = sum(tokens.get(name) or 0 for tokens in parts for name in classes)
    found["web_searches"] = sum((part.units or {}).get("web_search") or 0 for part in reading.parts)
    return found


def differences(record: dict[str, Any]) -> list[Case]:
    body = record["body"]
    usage = body.get("usage") or body.get("usageMetadata") or body["meta"]
    cases = []
    for each in record["extracted"]:
        for extractor in each["extractors"]:
            provider, flavor = extractor["provider_id"], extractor["api_flavor"]
            read = ours(body, provider, flavor)
            for field, mine in read.items():
                theirs = each["usage"].get(field, 0)
                if theirs != mine and not (field == "cache_write_5m_tokens" and theirs == 0):
                    cases.append(Case(field, flavor, provider, usage, theirs, mine))
    return cases


@pytest.fixture(scope="module")
def records():
    if not BODIES.is_file():
        pytest.skip("the shared data is absent: genai_prices/usages.json")
    return json.loads(BODIES.read_bytes())


def test_every_difference_has_a_reason_and_every_reason_a_difference(records):
    used: Counter[str] = Counter()
    bare = []
    for record in records:
        for case in differences(record):
            reasons = [name for name, holds in REASONS.items() if holds(case)]
            used.update(reasons)
            if not reasons:
                bare.append((record["body"]["file"], case))
    assert [(file, case._replace(usage={})) for file, case in bare][:9] == []
    assert REASONS.keys() - used.keys() == set()


def test_the_bodies_own_extractor_is_hardly_ever_differed_from(records):
    """Of a provider's own extractor on its own body, only what is known to be wrong differs."""
    own = {"cohere": "default", "aws": "default", "google": "default"}
    cases = [
        case
        for record in records
        for case in differences(record)
        if own.get(case.provider) == case.flavor
    ]
    assert cases == []


def test_all_of_them_are_read(records):
    assert len(records) == 1577
    unknown = [
        record["body"]["file"]
        for record in records
        if read_body(record["body"], provider="").usage != "reported"
    ]
    assert unknown == []
