"""Gemini and Vertex."""

from __future__ import annotations

import pytest

from tallybook.meter.usage.read import read_body

USAGE = {"promptTokenCount": 257, "candidatesTokenCount": 170, "totalTokenCount": 427}


def generate(usage, model="gemini-3-flash", **body):
    return read_body(
        {"candidates": [], "modelVersion": model, "responseId": "r", "usageMetadata": usage} | body,
        provider="google",
        endpoint="generateContent",
    )


def rows(**counts):
    return [{"modality": kind.upper(), "tokenCount": number} for kind, number in counts.items()]


def test_thoughts_and_tool_prompts_stand_outside():
    usage = USAGE | {
        "toolUsePromptTokenCount": 1732,
        "thoughtsTokenCount": 773,
        "totalTokenCount": 2932,
    }
    reading = generate(usage)
    assert reading.parts[0].tokens == {"input_uncached": 1989, "output": 943, "reasoning": 773}
    assert (reading.response_id, reading.model) == ("r", "gemini-3-flash")
    assert reading.extras == {"tool_use_prompt_tokens": 1732}


def test_absent_candidates_are_none_if_the_total_says_so():
    usage = {"promptTokenCount": 7, "thoughtsTokenCount": 5, "totalTokenCount": 12}
    assert generate(usage).parts[0].tokens == {"input_uncached": 7, "output": 5, "reasoning": 5}
    assert generate({"promptTokenCount": 7}).parts[0].tokens["output"] is None


def test_modalities_cached_ones_too():
    usage = USAGE | {
        "promptTokenCount": 400,
        "promptTokensDetails": rows(text=100, image=150, audio=100, document=50),
        "cachedContentTokenCount": 120,
        "cacheTokensDetails": rows(text=40, image=50, audio=30),
        "candidatesTokensDetails": rows(image=160),
        "totalTokenCount": 570,
    }
    reading = generate(usage)
    assert reading.parts[0].tokens == {
        "cache_read": 90,
        "cache_read_audio": 30,
        "audio_input": 70,
        "image_input": 150,
        "input_uncached": 60,
        "image_output": 160,
        "output": 10,
    }
    assert reading.extras["cache_audio_read_tokens"] == 30


@pytest.mark.parametrize(
    ("told", "tier"),
    [
        ({"trafficType": "PROVISIONED_THROUGHPUT"}, "provisioned"),
        ({"trafficType": "ON_DEMAND_PRIORITY"}, "priority"),
        ({"serviceTier": "flex"}, "flex"),
        ({}, ""),
    ],
)
def test_the_tier_that_served(told, tier):
    assert generate(USAGE | told).tier == tier


@pytest.mark.parametrize(("model", "fees"), [("gemini-3-flash", 2), ("gemini-2.5-pro", 1)])
def test_grounding_is_by_query_since_gemini_3_and_by_prompt_before(model, fees):
    found = {"webSearchQueries": ["a", "b", ""], "groundingChunks": [{"maps": {}}]}
    reading = generate(USAGE, model, candidates=[{"groundingMetadata": found}])
    assert reading.parts[0].units == {"web_search": fees, "maps_search": 1}


def test_live_has_its_own_word_for_output():
    usage = {
        "promptTokenCount": 10,
        "responseTokenCount": 4,
        "totalTokenCount": 14,
        "responseTokensDetails": rows(audio=4),
    }
    reading = read_body({"serverContent": {}, "usageMetadata": usage}, provider="google")
    assert reading.parts[0].tokens == {"input_uncached": 10, "audio_output": 4, "output": 0}


def test_embeddings_have_no_output():
    body = {"embeddings": [{}], "usageMetadata": {"promptTokenCount": 5}}
    assert read_body(body, provider="google").parts[0].tokens == {"input_uncached": 5, "output": 0}
    body = {"embeddings": [{}]}
    assert read_body(body, provider="google", endpoint="batchEmbedContents").usage == "unknown"


@pytest.mark.parametrize(
    ("body", "tokens", "units"),
    [
        (
            {"predictions": [{"embeddings": {"statistics": {"token_count": 6.0}}}] * 2},
            {"input_uncached": 12, "output": 0},
            None,
        ),
        (
            {"predictions": [{}], "metadata": {"billableCharacterCount": 90}},
            None,
            {"character": 90},
        ),
        ({"predictions": [{"bytesBase64Encoded": "a"}] * 3}, None, {"image": 3}),
    ],
)
def test_vertex_predictions(body, tokens, units):
    part = read_body(body, provider="vertex_ai", endpoint="predict", model="m").parts[0]
    assert (part.tokens, part.units) == (tokens, units)


def test_a_cache_is_paid_by_the_time_it_is_kept():
    body = {
        "name": "cachedContents/abc",
        "model": "models/gemini-2.5-pro",
        "usageMetadata": {"totalTokenCount": 1000},
        "createTime": "2026-11-01T10:00:00.5Z",
        "expireTime": "2026-11-01T11:00:00.5Z",
    }
    reading = read_body(body, provider="google")
    assert (reading.parts[0].units, reading.usage) == ({"cached_token_s": 3_600_000}, "estimated")
    assert read_body(body | {"expireTime": ""}, provider="google").usage == "unknown"


def test_interactions_have_other_words():
    usage = {
        "total_input_tokens": 20,
        "total_cached_tokens": 5,
        "total_output_tokens": 4,
        "total_thought_tokens": 6,
        "total_tokens": 30,
    }
    reading = read_body({"id": "i", "usage": usage}, provider="google")
    assert reading.parts[0].tokens == {
        "cache_read": 5,
        "input_uncached": 15,
        "output": 10,
        "reasoning": 6,
    }
