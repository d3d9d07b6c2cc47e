"""Tokens are taken apart; what cannot be is refused or left unknown."""

from __future__ import annotations

import pytest

from otlp import CHAT, event, reading

MODEL = {"gen_ai.request.model": "m", "gen_ai.operation.name": "chat"}
CLAUDE = {"gen_ai.request.model": "claude-sonnet-4-6", "gen_ai.operation.name": "chat"}


BESIDE = {
    "cached above input": {"gen_ai.usage.input_tokens": 3},
    "the total says so": {"gen_ai.usage.input_tokens": 3000, "gen_ai.usage.total_tokens": 4549},
}


@pytest.mark.parametrize("case", BESIDE)
@pytest.mark.parametrize("provider", ["anthropic", "aws.bedrock"])
def test_a_cache_beside_the_input_is_found_out(case, provider):
    cached = {
        "gen_ai.provider.name": provider,
        "gen_ai.usage.cache_read.input_tokens": 1111,
        "gen_ai.usage.cache_creation.input_tokens": 418,
        "gen_ai.usage.output_tokens": 20,
    }
    found = event(CLAUDE | cached | BESIDE[case])
    told = BESIDE[case]["gen_ai.usage.input_tokens"]
    assert found.tokens["input_uncached"] == told
    assert found.tokens["cache_read"] == 1111
    assert found.labels["cache_counted"].startswith("beside the input")


def test_a_cache_beside_the_input_of_anybody_else_is_refused():
    (one,) = reading(
        CHAT | {"gen_ai.usage.cache_read.input_tokens": 1001, "user.id": "bob@acme.example"}
    )
    assert "cached tokens are 1001, more than the input, 1000" in one.event.what
    assert "bob" not in str(one.record)


def test_output_that_is_not_told_is_unknown():
    assert event(MODEL | {"gen_ai.usage.input_tokens": 7}).tokens == {
        "input_uncached": 7,
        "output": None,
    }
    embeds = {
        "gen_ai.operation.name": "embeddings",
        "gen_ai.request.model": "text-embedding-3-small",
    }
    assert event(embeds | {"gen_ai.usage.input_tokens": 7}).tokens == {"input_uncached": 7}


def test_a_total_alone_divides_nothing():
    found = event(MODEL | {"gen_ai.usage.total_tokens": 70})
    assert found.tokens == {"input_uncached": None, "output": None}
    assert found.labels["total_tokens"] == "70"


def test_views_by_modality_are_never_added():
    found = event(
        CHAT | {"gen_ai.usage.audio.input_tokens": 300, "gen_ai.usage.image.input_tokens": 100}
    )
    assert found.tokens == {
        "input_uncached": 600,
        "audio_input": 300,
        "image_input": 100,
        "output": 50,
    }
    cached = CHAT | {
        "gen_ai.usage.audio.input_tokens": 300,
        "gen_ai.usage.cache_read.input_tokens": 200,
    }
    found = event(cached)
    assert found.tokens == {"input_uncached": 800, "cache_read": 200, "output": 50}
    assert found.labels["audio_input_tokens"] == "300"


@pytest.mark.parametrize("count", [-1, 1.5, "x", True, "1e3", 2**64])
def test_a_count_that_is_none_is_refused(count):
    (one,) = reading(CHAT | {"gen_ai.usage.output_tokens": count})
    assert "gen_ai.usage.output_tokens is" in one.event.what


SDK = {
    "gen_ai.provider.name": "anthropic",
    "gen_ai.usage.input_tokens": 1532,
    "gen_ai.usage.cache_read.input_tokens": 1111,
    "gen_ai.usage.cache_write.input_tokens": 418,
    "anthropic.usage.cache_creation.ephemeral_5m_input_tokens": 400,
    "anthropic.usage.cache_creation.ephemeral_1h_input_tokens": 10,
    "gen_ai.usage.output_tokens": 33,
}


def test_cache_writes_by_time_to_live():
    found = event(CLAUDE | SDK)
    assert found.tokens == {
        "input_uncached": 3,
        "cache_read": 1111,
        "cache_write_5m": 400,
        "cache_write_1h": 10,
        "cache_write": 8,
        "output": 33,
    }
    (one,) = reading(CLAUDE | SDK | {"gen_ai.usage.cache_write.input_tokens": 409})
    assert "add up to 410, more than all of them, 409" in one.event.what
    without = {name: count for name, count in SDK.items() if "cache_write." not in name}
    assert event(CLAUDE | without).tokens["input_uncached"] == 11


def test_a_stream_whose_placeholder_was_counted_is_an_estimate():
    scope = "opentelemetry.instrumentation.anthropic"
    given = CLAUDE | {"gen_ai.usage.input_tokens": 3, "gen_ai.usage.output_tokens": 35}
    assert event(given, scope=scope).usage is None
    assert event(given | {"gen_ai.is_streaming": True}, scope=scope).usage == "estimated"
    assert event(given | {"gen_ai.is_streaming": True}).usage is None
