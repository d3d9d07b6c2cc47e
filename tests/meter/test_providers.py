"""One name for each provider."""

from __future__ import annotations

import pytest

from tallybook.meter.providers import provider_of, provider_of_model, provider_of_url
from tallybook.rate.lists import load_list


@pytest.mark.parametrize(
    ("told", "provider"),
    [
        ("OpenAI", "openai"),
        ("az.ai.openai", "azure"),
        ("bedrock_converse", "aws"),
        ("aws.bedrock", "aws"),
        ("gcp.vertex_ai", "google"),
        ("xai", "x-ai"),
        ("anthropic.messages", "anthropic"),
        ("gcp.vertex.agent", "google"),
        ("Acme Models", "acme models"),
        ("acme.models", "acme.models"),
        ("", ""),
    ],
)
def test_spellings(told: str, provider: str) -> None:
    assert provider_of(told) == provider


@pytest.mark.parametrize("provider", sorted(load_list().providers))
def test_a_name_of_the_price_list_is_its_own_name(provider: str) -> None:
    assert provider_of(provider) == provider


@pytest.mark.parametrize(
    ("url", "provider"),
    [
        ("https://api.openai.com/v1/chat/completions", "openai"),
        ("https://acme.openai.azure.com/openai/deployments/x", "azure"),
        ("bedrock-runtime.us-west-2.amazonaws.com", "aws"),
        ("https://us-central1-aiplatform.googleapis.com/v1", "google"),
        ("http://evil-api.openai.com.example/v1", ""),
        ("[]", ""),
        ("http://[half", ""),
        ("http://notapi.openai.com", ""),
        ("http://localhost:11434", ""),
    ],
)
def test_hosts(url: str, provider: str) -> None:
    assert provider_of_url(url) == provider


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ("gpt-5-2025-08-07", "openai"),
        ("o3", "openai"),
        ("claude-sonnet-4-6", "anthropic"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "aws"),
        ("gemini-2.0-flash", "google"),
        ("mistral/mistral-large", "mistral"),
        ("openrouter/openai/gpt-4o", "openrouter"),
        ("llama-3.3-70b", ""),
        ("deepseek-r1-distill-llama-70b", ""),
        ("gpt-oss-120b", ""),
        ("", ""),
    ],
)
def test_whose_model_it_is(model: str, provider: str) -> None:
    assert provider_of_model(model) == provider
