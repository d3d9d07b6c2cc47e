"""One name for each provider."""

from __future__ import annotations

import pytest

from tallybook.meter.providers import provider_of, provider_of_url
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
        ("Acme Models", "acme models"),
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
        ("http://notapi.openai.com", ""),
        ("http://localhost:11434", ""),
    ],
)
def test_hosts(url: str, provider: str) -> None:
    assert provider_of_url(url) == provider
