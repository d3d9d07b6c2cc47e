"""Provider and model from the names that LiteLLM gives."""

from __future__ import annotations

import pytest

from tallybook.meter.sources.litellm_models import maker_of, provider_and_model


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ({"custom_llm_provider": "openai", "model": "gpt-4o"}, ("openai", "gpt-4o")),
        ({"custom_llm_provider": "vertex_ai", "model": "gemini/g-2"}, ("google", "g-2")),
        ({"custom_llm_provider": "bedrock", "model": "bedrock/us.x"}, ("aws", "us.x")),
        ({"model": "anthropic/claude-x"}, ("anthropic", "claude-x")),
        ({"model": "meta-llama/llama-4"}, ("", "meta-llama/llama-4")),
        ({"model": "m", "api_base": "https://api.groq.com/openai"}, ("groq", "m")),
        (
            {"model": "litellm_proxy/x-1", "request_tags": ["model:litellm_proxy/deepseek/x-1"]},
            ("deepseek", "x-1"),
        ),
        ({"custom_llm_provider": "litellm_proxy", "model": "claude-x"}, ("anthropic", "claude-x")),
        ({"model": None}, ("", "")),
    ],
)
def test_a_row_tells_provider_and_model(row, found):
    assert provider_and_model(row, {}) == found


def test_a_deployment_is_the_model_behind_it():
    row = {"custom_llm_provider": "azure", "model": "azure/ours"}
    mapped = {"model_map_information": {"model_map_key": "azure/gpt-4o"}}
    assert provider_and_model(row | mapped, {}) == ("azure", "gpt-4o")
    assert provider_and_model(row, mapped) == ("azure", "gpt-4o")
    assert provider_and_model(row, {}) == ("azure", "ours")


def test_the_name_of_a_model_is_the_last_resort():
    assert (maker_of("Claude-x"), maker_of("o3-mini"), maker_of("ours")) == (
        *("anthropic", "openai"),
        "",
    )
