"""Errors in each provider's own shape."""

from __future__ import annotations

import json

import pytest

from tallybook.gateway.faces import error_answer, error_body, error_event
from tallybook.gateway.model import KINDS, Refusal

BUSY = Refusal(429, "busy", 'Come "later"\r\nX: 1', 7)


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_is_whole_and_its_message_makes_no_header(kind):
    data = error_answer(kind, BUSY, close=True)
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"HTTP/1.1 429 Too Many Requests"
    assert b"content-length: %d" % len(body) in lines
    assert b"retry-after: 7" in lines
    assert b"connection: close" in lines
    assert b"X: 1" not in lines
    assert 'Come \\"later\\"' in json.dumps(json.loads(body))


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("openai", "rate_limit_error"),
        ("anthropic", "rate_limit_error"),
        ("gemini", "RESOURCE_EXHAUSTED"),
        ("bedrock", "busy"),
    ],
)
def test_the_word_is_the_providers(kind, word):
    assert word in json.dumps(error_body(kind, BUSY))


def test_a_stream_is_told_by_an_event():
    assert error_event("anthropic", BUSY).startswith(b'event: error\ndata: {"type": "error"')
    assert error_event("openai", BUSY).startswith(b'data: {"error"')
    assert error_event("openai", BUSY).endswith(b"}\n\n")
