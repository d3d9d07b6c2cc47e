"""Which API answered: told, else seen."""

from __future__ import annotations

import pytest

from tallybook.meter.usage.families import body_of_usage, family_of, family_told

ANTHROPIC = {"input_tokens": 1, "output_tokens": 1, "cache_read_input_tokens": 0}
RESPONSES = {"input_tokens": 1, "output_tokens": 1, "input_tokens_details": {}}


@pytest.mark.parametrize(
    ("provider", "endpoint", "name"),
    [
        ("openai", "/v1/chat/completions", "chat"),
        ("openai", "chat.completion", "chat"),
        ("azure", "/openai/deployments/d/chat/completions", "chat"),
        ("openai", "/v1/responses", "responses"),
        ("openai", "/v1/audio/translations", "transcription"),
        ("openai", "/v1/images/edits", "images"),
        ("openai", "/v1/moderations", "moderation"),
        ("openai", "/v1/realtime", "responses"),
        ("anthropic", "/v1/messages", "messages"),
        ("aws", "/model/m/converse-stream", "converse"),
        ("aws", "InvokeModelWithResponseStream", "invoke"),
        ("google", "/v1beta/models/m:streamGenerateContent", "gemini"),
        ("google", "/v1beta/openai/chat/completions", "chat"),
        ("google", "/v1beta/interactions", "interactions"),
        ("google", "/publishers/anthropic/models/c:rawPredict", "messages"),
        ("cohere", "/v2/chat", "cohere"),
        ("cohere", "/v2/embed", "cohere"),
        ("cohere", "/compatibility/v1/chat/completions", "chat"),
        ("mistral", "/v1/ocr", "ocr"),
        ("ollama", "/api/chat", "ollama"),
    ],
)
def test_provider_and_endpoint_tell_the_form(provider, endpoint, name):
    assert family_told(provider, endpoint).name == name


@pytest.mark.parametrize(
    ("provider", "body", "name"),
    [
        ("", {"usage": {"prompt_tokens": 1}}, "chat"),
        ("", {"usage": ANTHROPIC}, "messages"),
        ("", {"usage": RESPONSES}, "responses"),
        ("aws", {"usage": ANTHROPIC}, "invoke"),
        ("", {"usage": {"inputTokens": 1}}, "converse"),
        ("", {"usageMetadata": {}}, "gemini"),
        ("", {"usage": {"billed_units": {}}}, "cohere"),
        ("", {"meta": {"billed_units": {}}}, "cohere"),
        ("", {"done": True}, "ollama"),
        ("", {"usage_info": {}}, "ocr"),
        ("", {"choices": []}, "chat"),
        ("", {"object": "response"}, "responses"),
        ("", {"usage": RESPONSES, "data": []}, "images"),
        ("", {"usage": {"total_tokens": 1}}, "chat"),
        ("", {"usage": {"type": "duration", "seconds": 1}}, "transcription"),
        ("aws", {"text": "a"}, "invoke"),
    ],
)
def test_the_shape_tells_it_where_nobody_does(provider, body, name):
    assert family_of(provider, "", body).name == name


def test_a_body_of_another_form_is_read_by_its_shape():
    assert family_of("azure", "/chat/completions", {"usage": ANTHROPIC}).name == "messages"
    assert family_of("anthropic", "/v1/messages", {"usage": RESPONSES}).name == "responses"
    assert family_of("openai", "/v1/responses", {"usage": ANTHROPIC}).name == "messages"
    assert family_of("cohere", "/v2/chat", {"usage": {"prompt_tokens": 1}}).name == "chat"


def test_a_shape_that_nobody_knows_is_none():
    assert family_of("", "", {"hello": 1}) is None
    assert family_of("", "", {"usage": {"beans": 1}}) is None


@pytest.mark.parametrize(
    ("usage", "key"),
    [
        ({"promptTokenCount": 1}, "usageMetadata"),
        ({"pages_processed": 1}, "usage_info"),
        ({"prompt_eval_count": 1}, "prompt_eval_count"),
        ({"prompt_token_count": 1}, "prompt_token_count"),
        ({"inputTokenCount": 1}, "amazon-bedrock-invocationMetrics"),
        ({"prompt_tokens": 1}, "usage"),
    ],
)
def test_a_bare_usage_is_put_where_its_form_keeps_it(usage, key):
    assert key in body_of_usage(usage)
