"""One call in each dialect is one call."""

from __future__ import annotations

import json

import pytest

from otlp import event

MODEL = {"gen_ai.request.model": "m", "gen_ai.operation.name": "chat"}


DIALECTS = {
    "otel": {
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.cache_read.input_tokens": 60,
        "gen_ai.usage.cache_creation.input_tokens": 10,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.reasoning.output_tokens": 5,
    },
    "otel-1.36": {
        "gen_ai.system": "openai",
        "gen_ai.usage.prompt_tokens": 100,
        "gen_ai.usage.completion_tokens": 20,
        "gen_ai.usage.cache_read.input_tokens": 60,
        "gen_ai.usage.cache_creation.input_tokens": 10,
        "gen_ai.usage.reasoning.output_tokens": 5,
    },
    "openllmetry": {
        "gen_ai.usage.prompt_tokens": 100,
        "gen_ai.usage.completion_tokens": 20,
        "gen_ai.usage.cache_read_input_tokens": 60,
        "gen_ai.usage.cache_creation_input_tokens": 10,
        "gen_ai.usage.reasoning_tokens": 5,
    },
    "openinference": {
        "llm.token_count.prompt": 100,
        "llm.token_count.completion": 20,
        "llm.token_count.prompt_details.cache_read": 60,
        "llm.token_count.prompt_details.cache_write": 10,
        "llm.token_count.completion_details.reasoning": 5,
    },
    "langfuse": {
        "langfuse.observation.type": "generation",
        "langfuse.observation.usage_details": json.dumps(
            {
                "input": 30,
                "input_cached_tokens": 60,
                "input_cache_creation": 10,
                "output": 15,
                "output_reasoning_tokens": 5,
                "total": 120,
            }
        ),
    },
    "litellm v2": {
        "litellm.call_id": "c-1",
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.cache_read.input_tokens": 60,
        "gen_ai.usage.cache_creation.input_tokens": 10,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.reasoning_tokens": 5,
    },
    "vercel": {
        "ai.operationId": "ai.generateText.doGenerate",
        "ai.usage.inputTokens": 100,
        "ai.usage.cachedInputTokens": 60,
        "ai.usage.inputTokenDetails.cacheWriteTokens": 10,
        "ai.usage.outputTokens": 20,
        "ai.usage.reasoningTokens": 5,
    },
    "sentry": {
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.input_tokens.cached": 60,
        "gen_ai.usage.input_tokens.cache_write": 10,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.output_tokens.reasoning": 5,
    },
    "strands": {
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.cache_read_input_tokens": 60,
        "gen_ai.usage.cache_write_input_tokens": 10,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.reasoning_tokens": 5,
    },
}
"""One call in each dialect: 100 tokens in, 60 of them read from the cache and 10 written to it."""


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_says_the_same(dialect):
    found = event(MODEL | {"gen_ai.provider.name": "openai"} | DIALECTS[dialect])
    assert found.tokens == {
        "input_uncached": 30,
        "cache_read": 60,
        "cache_write": 10,
        "output": 20,
        "reasoning": 5,
    }
