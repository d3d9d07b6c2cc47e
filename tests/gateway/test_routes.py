"""Which requests go through: a table, and everything else refused."""

from __future__ import annotations

import re

import pytest

from tallybook.gateway.model import Refusal, Upstream
from tallybook.gateway.routes import treatment_of


def upstream(kind, **more):
    return Upstream(name=kind, kind=kind, host="x", port=443, tls=True, **more)


@pytest.mark.parametrize(
    ("kind", "method", "path", "treatment"),
    [
        ("openai", "POST", "/v1/chat/completions", "metered"),
        ("openai", "POST", "/v1/completions", "metered"),
        ("openai", "POST", "/v1/responses", "metered"),
        ("openai", "POST", "/v1/responses/compact", "metered"),
        ("openai", "POST", "/v1/embeddings", "metered"),
        ("openai", "POST", "/v1/images/edits", "metered"),
        ("openai", "POST", "/v1/audio/transcriptions", "metered"),
        ("openai", "POST", "/v1/audio/speech", "metered"),
        ("openai", "POST", "/api/v1/chat/completions", "metered"),
        ("openai", "POST", "/openai/v1/chat/completions", "metered"),
        ("openai", "POST", "/api/chat", "metered"),
        ("openai", "GET", "/v1/responses/resp_1", "poll"),
        ("openai", "POST", "/v1/batches", "batch"),
        ("openai", "GET", "/v1/files/file-1/content", "results"),
        ("openai", "POST", "/v1/files", "free"),
        ("openai", "GET", "/v1/models", "free"),
        ("openai", "POST", "/v1/moderations", "free"),
        ("azure", "POST", "/openai/deployments/gpt/chat/completions", "metered"),
        ("azure", "GET", "/openai/models", "free"),
        ("anthropic", "POST", "/v1/messages", "metered"),
        ("anthropic", "POST", "/v1/messages/count_tokens", "free"),
        ("anthropic", "POST", "/v1/messages/batches", "batch"),
        ("anthropic", "GET", "/v1/messages/batches/b1/results", "results"),
        ("bedrock", "POST", "/model/anthropic.claude-v1%3A0/converse-stream", "metered"),
        ("bedrock", "POST", "/model/arn%3Aaws%3Abedrock%3Aprofile%2Fx/invoke", "metered"),
        ("gemini", "POST", "/v1beta/models/gemini-2.5-flash:streamGenerateContent", "metered"),
        ("gemini", "POST", "/v1beta/models/gemini-2.5-flash:countTokens", "free"),
        ("gemini", "GET", "/v1beta/models", "free"),
        (
            "vertex",
            "POST",
            "/v1/projects/p/locations/l/publishers/anthropic/models/claude:rawPredict",
            "metered",
        ),
    ],
)
def test_routes_that_are_known(kind, method, path, treatment):
    assert treatment_of(upstream(kind), method, path) == treatment


@pytest.mark.parametrize(
    ("kind", "method", "path"),
    [
        ("openai", "POST", "/v1/fine_tuning/jobs"),
        ("openai", "POST", "/v1/vector_stores"),
        ("openai", "GET", "/v1/realtime"),
        ("openai", "POST", "/v1/assistants"),
        ("openai", "PUT", "/v1/chat/completions"),
        ("openai", "GET", "/v1/organization/costs"),
        ("anthropic", "POST", "/v1/threads/v1/messages"),
        ("anthropic", "GET", "/v1/organizations/usage_report/messages"),
        ("bedrock", "POST", "/guardrail/x/version/1/apply"),
        ("gemini", "POST", "/v1beta/cachedContents"),
        ("gemini", "POST", "/v1beta/models/x:batchGenerateContent"),
    ],
)
def test_a_route_that_nobody_meters_is_refused(kind, method, path):
    refusal = treatment_of(upstream(kind), method, path)
    assert isinstance(refusal, Refusal)
    assert (refusal.status, refusal.code) == (404, "route_not_metered")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/files/../chat/completions",
        "/v1/files/%2e%2e/chat/completions",
        "/v1/files/.%2E/x",
        "//v1/models",
        "/v1/models/./x",
        "/v1/models\\x",
        "/v1/models/a%2F..%2Fchat",
        "/v1/models/%252e%252e",
        "/v1/models;x/y",
        "/v1/models/%00",
        "/v1/models/%0d%0aX: y",
    ],
)
def test_a_path_that_can_be_read_in_two_ways_is_refused(path):
    refusal = treatment_of(upstream("openai"), "GET", path)
    assert isinstance(refusal, Refusal)
    assert refusal.code == "path_ambiguous"


def test_an_operator_may_allow_more():
    allowing = upstream("openai", allow=(("POST", re.compile("/v1/vector_stores.*")),))
    assert treatment_of(allowing, "POST", "/v1/vector_stores/x/files") == "free"
    assert isinstance(treatment_of(allowing, "GET", "/v1/vector_stores"), Refusal)
