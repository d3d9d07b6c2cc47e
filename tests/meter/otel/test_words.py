"""The provider's own words in a span come before what was made of them."""

from __future__ import annotations

import json

from otlp import event, reading


def test_the_vercel_sdk_hands_anthropics_figure_on():
    given = {
        "ai.operationId": "ai.generateText.doGenerate",
        "ai.model.provider": "anthropic.messages",
        "ai.model.id": "claude-sonnet-4-6",
        "ai.usage.inputTokens": 2000,
        "ai.usage.cachedInputTokens": 1000,
        "ai.usage.outputTokens": 20,
    }
    assert event(given).tokens["input_uncached"] == 2000
    split = given | {
        "ai.usage.inputTokens": 3000,
        "ai.usage.inputTokenDetails.noCacheTokens": 2000,
        "ai.usage.inputTokenDetails.cacheReadTokens": 1000,
    }
    assert event(split).tokens == event(given).tokens


def test_the_vercel_sdks_metadata_is_the_providers_word():
    usage = {
        "input_tokens": 3,
        "cache_creation_input_tokens": 418,
        "cache_read_input_tokens": 1111,
        "cache_creation": {"ephemeral_5m_input_tokens": 400, "ephemeral_1h_input_tokens": 18},
        "output_tokens": 33,
        "service_tier": "priority",
    }
    found = event(
        {
            "ai.operationId": "ai.generateText.doGenerate",
            "ai.model.provider": "anthropic.messages",
            "ai.model.id": "claude-sonnet-4-6",
            "ai.response.id": "msg_1",
            "ai.usage.inputTokens": 3,
            "ai.usage.outputTokens": 33,
            "ai.response.providerMetadata": json.dumps({"anthropic": {"usage": usage}}),
        }
    )
    assert found.tokens["cache_write_5m"] == 400
    assert found.tokens["cache_write_1h"] == 18
    assert (found.tokens["input_uncached"], found.tokens["cache_read"]) == (3, 1111)
    assert (found.response_id, found.tier) == ("msg_1", "priority")
    other = event(
        {
            "ai.operationId": "ai.generateText.doGenerate",
            "ai.model.provider": "openai.responses",
            "ai.model.id": "gpt-5",
            "ai.usage.promptTokens": "62",
            "ai.usage.completionTokens": "85",
            "ai.response.providerMetadata": json.dumps(
                {"openai": {"responseId": "resp_1", "serviceTier": "flex", "cachedPromptTokens": 2}}
            ),
        }
    )
    assert other.tokens == {"input_uncached": 60, "cache_read": 2, "output": 85}
    assert (other.provider, other.response_id, other.tier) == ("openai", "resp_1", "flex")


def test_a_body_in_the_span_is_read_as_any_response():
    body = {
        "id": "msg_01",
        "type": "message",
        "model": "claude-sonnet-4-6",
        "usage": {
            "input_tokens": 3,
            "cache_creation_input_tokens": 418,
            "cache_read_input_tokens": 1111,
            "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 418},
            "output_tokens": 33,
        },
    }
    (one,) = reading(
        {
            "openinference.span.kind": "LLM",
            "llm.provider": "anthropic",
            "llm.model_name": "claude-sonnet-4-6",
            "llm.token_count.prompt": 1532,
            "llm.token_count.completion": 33,
            "output.value": json.dumps(body),
            "output.mime_type": "application/json",
        }
    )
    assert one.event.response_id == "msg_01"
    assert one.event.tokens["cache_write_1h"] == 418
    assert one.event.tokens["input_uncached"] == 3
    assert one.event.labels["usage_from"] == "the provider's response"
    assert "output.value" not in one.record["attributes"]


def test_each_iteration_of_a_response_is_an_event():
    usage = {
        "input_tokens": 10,
        "output_tokens": 5,
        "iterations": [
            {"type": "compaction", "input_tokens": 55196, "output_tokens": 125},
            {"type": "message", "input_tokens": 10, "output_tokens": 5},
        ],
    }
    body = {"id": "msg_01", "type": "message", "model": "claude-opus-4-6", "usage": usage}
    found = reading(
        {
            "openinference.span.kind": "LLM",
            "llm.provider": "anthropic",
            "output.value": json.dumps(body),
        }
    )
    assert sum(one.event.tokens["input_uncached"] for one in found) == 55206
    ids = [one.event.event_id for one in found]
    assert ids[1] == f"{ids[0]}/1"
    assert [one.event.response_id for one in found] == ["msg_01", "msg_01/1"]


def test_google_adk_keeps_the_body_in_snake_case():
    body = {
        "usage_metadata": {
            "prompt_token_count": 39,
            "candidates_token_count": 6,
            "thoughts_token_count": 100,
            "total_token_count": 145,
        }
    }
    found = event(
        {
            "gen_ai.operation.name": "generate_content",
            "gen_ai.system": "gcp.vertex.agent",
            "gen_ai.request.model": "gemini-2.5-flash",
            "gen_ai.usage.input_tokens": 39,
            "gen_ai.usage.output_tokens": 6,
            "gcp.vertex.agent.llm_response": json.dumps(body),
        }
    )
    assert (found.provider, found.tokens["output"]) == ("google", 106)
