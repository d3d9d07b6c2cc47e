"""What an address tells."""

from __future__ import annotations

import pytest

from tallybook.meter.usage.places import model_in, region_in


@pytest.mark.parametrize(
    ("endpoint", "model"),
    [
        ("/model/us.anthropic.claude-v1%3A0/converse", "us.anthropic.claude-v1:0"),
        ("/model/eu.anthropic.claude-haiku-v1:0/invoke", "eu.anthropic.claude-haiku-v1:0"),
        ("/v1beta/models/gemini-2.5-flash:generateContent?alt=sse", "gemini-2.5-flash"),
        ("https://x/v1/projects/p/locations/l/publishers/g/models/m:predict", "m"),
        ("/v1/chat/completions", ""),
        ("/openai/deployments/gpt-5-nano/chat/completions", ""),
        ("", ""),
    ],
)
def test_the_model_in_a_path(endpoint, model):
    assert model_in(endpoint) == model


@pytest.mark.parametrize(
    ("endpoint", "headers", "region"),
    [
        ("https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse", {}, "us-east-1"),
        ("https://europe-west4-aiplatform.googleapis.com/v1/x", {}, "europe-west4"),
        ("/v1/projects/p/locations/asia-east1/publishers/x", {}, "asia-east1"),
        ("", {"x-ms-region": "East US 2"}, "eastus2"),
        ("/v1/messages", {}, ""),
    ],
)
def test_the_region_of_an_address_or_a_header(endpoint, headers, region):
    assert region_in(endpoint, headers) == region
