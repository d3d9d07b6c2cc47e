"""A request is understood by its address and a few keys of its body."""

from __future__ import annotations

import json

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallybook.sdk.asked import (
    form_fields,
    key_id,
    key_id_of,
    known_to_take_it,
    may_ask_usage,
    understood,
    with_usage_asked,
)


def ask(url, body=None, method="POST", headers=None, providers=None, form=None):
    sent = None if body is None else json.dumps(body).encode()
    return understood(method, url, headers or {}, sent, providers or {}, form or {})


@pytest.mark.parametrize(
    ("url", "provider", "operation"),
    [
        ("https://api.openai.com/v1/chat/completions", "openai", "chat"),
        ("https://api.openai.com/v1/completions", "openai", "completions"),
        ("https://api.openai.com/v1/responses", "openai", "responses"),
        ("https://api.openai.com/v1/responses/compact", "openai", "responses"),
        ("https://api.openai.com/v1/embeddings", "openai", "embeddings"),
        ("https://api.openai.com/v1/images/generations", "openai", "images"),
        ("https://api.openai.com/v1/audio/transcriptions", "openai", "transcription"),
        ("https://api.openai.com/v1/audio/speech", "openai", "speech"),
        (
            "https://x.openai.azure.com/openai/deployments/d/chat/completions?api-version=1",
            "azure",
            "chat",
        ),
        ("https://api.anthropic.com/v1/messages", "anthropic", "messages"),
        (
            "https://bedrock-runtime.eu-west-1.amazonaws.com/model/m/converse-stream",
            "aws",
            "converse",
        ),
        ("https://bedrock-runtime.eu-west-1.amazonaws.com/model/m/invoke", "aws", "invoke"),
        (
            "https://generativelanguage.googleapis.com/v1beta/models/g:streamGenerateContent",
            "google",
            "generate",
        ),
        (
            "https://eu-aiplatform.googleapis.com/v1/projects/p/models/claude@1:rawPredict",
            "google",
            "messages",
        ),
        ("https://api.cohere.com/v2/chat", "cohere", "chat"),
        ("https://api.cohere.com/v2/rerank", "cohere", "rerank"),
        ("https://api.mistral.ai/v1/chat/completions", "mistral", "chat"),
        ("https://api.mistral.ai/v1/fim/completions", "mistral", "chat"),
        ("https://api.mistral.ai/v1/ocr", "mistral", "conversations"),
        ("https://api.voyageai.com/v1/rerank", "voyageai", "rerank"),
    ],
)
def test_calls_that_use_a_model(url, provider, operation):
    asked = ask(url, {"model": "m"})
    assert (asked.provider, asked.operation, asked.model, asked.host) == (
        provider,
        operation,
        "m",
        "",
    )


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("GET", "https://api.openai.com/v1/models"),
        ("POST", "https://api.openai.com/v1/files"),
        ("POST", "https://api.openai.com/v1/moderations"),
        ("POST", "https://api.openai.com/v1/threads/t/messages"),
        ("POST", "https://api.openai.com/v1/responses/input_tokens"),
        ("POST", "https://api.anthropic.com/v1/messages/count_tokens"),
        ("POST", "https://api.anthropic.com/v1/messages/batches"),
        ("DELETE", "https://api.openai.com/v1/responses/resp_1"),
        ("POST", "https://example.com/checkout"),
    ],
)
def test_everything_else_passes_unseen(method, url):
    assert ask(url, {"model": "m"}, method) is None


def test_a_host_that_says_nothing_goes_by_the_form_of_the_api_and_is_named():
    asked = ask("http://llm.internal:8000/v1/messages", {"model": "m"})
    assert (asked.provider, asked.host) == ("anthropic", "llm.internal:8000")
    for name in ("llm.internal:8000", "llm.internal"):
        told = ask("http://llm.internal:8000/v1/messages", {}, providers={name: "vllm"})
        assert (told.provider, told.host) == ("vllm", "")


def test_a_password_in_an_address_is_no_host():
    assert ask("http://user:secret@llm.internal/v1/messages").host == "llm.internal"


def test_the_model_stands_in_the_body_in_the_form_or_in_the_path():
    bedrock = "https://bedrock-runtime.us-east-1.amazonaws.com/model/anthropic.claude%3A0/invoke"
    assert ask(bedrock).model == "anthropic.claude:0"
    audio = "https://api.openai.com/v1/audio/transcriptions"
    assert ask(audio, form={"model": "whisper-1"}).model == "whisper-1"
    assert ask(audio, {"model": ["m"]}).model == ""


def test_a_background_response_is_asked_for_again_by_its_id():
    url = "https://api.openai.com/v1/responses"
    assert ask(url, {"background": True}).background
    assert ask(f"{url}/resp_1", method="GET").polls == "resp_1"


def test_the_plain_fields_of_a_form_are_seen_before_it_is_read():
    request = httpx2.Request(
        "POST",
        "https://api.openai.com/v1/audio/transcriptions",
        data={"model": "whisper-1"},
        files={"file": ("a.mp3", b"sound")},
    )
    assert dict(form_fields(request.stream)) == {"model": "whisper-1"}
    assert dict(form_fields(object())) == {}


@given(st.binary())
def test_any_body_is_understood_or_passed_over(body):
    asked = understood("POST", "https://api.openai.com/v1/responses", {}, body, {}, {})
    assert asked.operation == "responses"


def chat(host="api.openai.com", query="", **body):
    return ask(f"https://{host}/v1/chat/completions{query}", {"stream": True, **body})


def test_usage_is_asked_for_where_it_cannot_break_the_request():
    assert may_ask_usage(chat(), {}, "")
    assert may_ask_usage(chat(stream_options={"include_usage": False}), {}, "")
    assert not may_ask_usage(chat(stream=False), {}, "")
    assert not may_ask_usage(chat(stream_options={"include_usage": True}), {}, "")
    assert not may_ask_usage(ask("https://api.openai.com/v1/responses", {"stream": True}), {}, "")
    assert not may_ask_usage(chat(), {"authorization": "AWS4-HMAC-SHA256 Credential=A/b"}, "")
    azure = chat("x.openai.azure.com")
    assert may_ask_usage(azure, {}, "api-version=2024-10-21")
    assert may_ask_usage(azure, {}, "")
    assert not may_ask_usage(azure, {}, "a=b&api-version=2024-02-01")


def test_only_known_providers_are_known_to_take_it():
    assert known_to_take_it(chat())
    assert not known_to_take_it(chat("api.mistral.ai"))
    assert not known_to_take_it(chat("llm.internal"))


def test_asking_for_usage_leaves_all_else_as_it_was():
    body = b'{"model": "m", "temperature": 0.10, "stream_options": {"x": 1}, "big": 12345678901234567890}'
    assert with_usage_asked(body) == (
        b'{"model":"m","temperature":0.10,"stream_options":{"x":1,"include_usage":true},'
        b'"big":12345678901234567890}'
    )
    assert with_usage_asked(b'{"stream_options":null}') == (
        b'{"stream_options":{"include_usage":true}}'
    )


def test_a_key_is_named_by_a_digest():
    assert key_id("sk-secret") == "key-746b4ad1ca9129e1"
    assert key_id("") == ""
    for headers in (
        {"authorization": "Bearer sk-secret"},
        {"x-api-key": "sk-secret"},
        {"api-key": "sk-secret"},
        {"authorization": "AWS4-HMAC-SHA256 Credential=sk-secret/20261003/us/bedrock, Signature=f"},
    ):
        assert key_id_of(headers) == key_id("sk-secret")
    assert key_id_of({}) == ""
