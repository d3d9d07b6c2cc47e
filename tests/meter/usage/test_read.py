"""The way in: bytes, a parsed body, a bare usage object."""

from __future__ import annotations

import pytest

from tallybook.errors import EventError
from tallybook.meter.usage.read import read_body, read_response, read_usage

CHAT = {
    "id": "chatcmpl-1",
    "model": "gpt-4o-2024-08-06",
    "usage": {
        "prompt_tokens": 10,
        "completion_tokens": 2,
        "total_tokens": 12,
        "prompt_tokens_details": {"cached_tokens": 4},
    },
}


def test_cached_tokens_are_taken_out_of_the_prompt():
    reading = read_body(CHAT, provider="openai")
    assert (reading.model, reading.usage, reading.response_id) == (
        "gpt-4o-2024-08-06",
        "reported",
        "chatcmpl-1",
    )
    (part,) = reading.parts
    assert part.tokens == {"input_uncached": 6, "cache_read": 4, "output": 2}


def test_a_response_without_usage_is_unknown_not_zero():
    reading = read_body({"model": "m"}, provider="openai")
    assert reading.usage == "unknown"
    assert [part.tokens for part in reading.parts] == [None]


def test_a_part_above_its_whole_is_refused_of_a_bare_usage_and_noted_of_a_response():
    usage = {
        "prompt_tokens": 3,
        "completion_tokens": 1,
        "prompt_tokens_details": {"cached_tokens": 4},
    }
    with pytest.raises(EventError, match="4, more than"):
        read_usage(usage, provider="openai")
    reading = read_body({"usage": usage}, provider="openai")
    assert reading.usage == "unknown"
    assert "4, more than" in reading.notes[0]


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b"\xff"])
def test_bytes_that_are_no_response_are_refused(body):
    with pytest.raises(EventError):
        read_response(body, provider="openai")
