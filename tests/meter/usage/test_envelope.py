"""What stands around a response."""

from __future__ import annotations

import json

import pytest

from meter.usage.recorded import DATA
from tallybook.meter.usage.envelope import error_text, is_batch
from tallybook.meter.usage.read import read_body, read_response

CHAT = {
    "id": "c1",
    "model": "m",
    "service_tier": "default",
    "usage": {"prompt_tokens": 3, "completion_tokens": 1},
}
MESSAGE = {"id": "m1", "type": "message", "model": "claude", "usage": {"input_tokens": 3, "output_tokens": 1, "service_tier": "batch"}}  # fmt: skip


def line(**response):
    return {"id": "batch_req_1", "custom_id": "a", "response": response, "error": None}


def test_a_line_of_a_batch_is_of_the_batch_tier_whatever_it_says_inside():
    reading = read_body(line(status_code=200, request_id="r1", body=CHAT), provider="openai")
    assert (reading.tier, reading.request_id, reading.response_id) == ("batch", "r1", "c1")
    assert reading.parts[0].tokens == {"input_uncached": 3, "output": 1}


def test_a_line_of_an_anthropic_batch():
    told = {"custom_id": "a", "result": {"type": "succeeded", "message": MESSAGE}}
    reading = read_body(told, provider="anthropic")
    assert (reading.tier, reading.model, reading.usage) == ("batch", "claude", "reported")


def test_a_line_of_a_gemini_batch():
    inner = {"candidates": [], "usageMetadata": {"promptTokenCount": 3, "totalTokenCount": 3}}
    reading = read_body({"key": "a", "response": inner}, provider="google")
    assert (reading.tier, reading.parts[0].tokens["input_uncached"]) == ("batch", 3)


@pytest.mark.parametrize(
    "told",
    [
        line(status_code=400, body={"error": {"type": "invalid_request_error"}}),
        {"custom_id": "a", "response": None, "error": {"code": "batch_expired"}},
        {"custom_id": "a", "result": {"type": "expired"}},
        {"error": {"type": "rate_limit"}},
        {"type": "error", "error": {"type": "overloaded_error"}, "request_id": "r"},
    ],
)
def test_an_error_without_figures_used_nothing(told):
    reading = read_body(told, provider="openai")
    assert (reading.usage, reading.status) == ("reported", "error")
    assert reading.parts[0].tokens is None


def test_a_batch_itself_repeats_its_lines_and_is_not_read():
    batch = {"id": "batch_1", "object": "batch", "usage": {"input_tokens": 900, "output_tokens": 9}}
    assert is_batch(batch)
    reading = read_body(batch, provider="openai")
    assert reading.usage == "unknown"
    assert "read the lines" in reading.notes[0]


def test_an_event_that_carries_a_response_is_that_response():
    event = {
        "type": "response.completed",
        "response": CHAT | {"object": "response", "usage": {"input_tokens": 1, "output_tokens": 2}},
    }
    assert read_body(event, provider="openai").response_id == "c1"


def test_the_message_of_an_error_is_not_repeated():
    assert error_text({"error": {"message": "you wrote: secret", "code": 400}}) == "400"
    assert error_text({"error": "you wrote: secret"}) == "of no kind that is told"


def test_a_real_line_of_a_batch():
    path = DATA / "billing_samples" / "openai_batch_output_line.jsonl"
    if not path.is_file():
        pytest.skip("the shared data is absent: billing_samples")
    (text,) = path.read_bytes().splitlines()
    reading = read_response(text, provider="openai", endpoint="/v1/embeddings")
    assert reading.parts[0].tokens == {"input_uncached": 13, "output": 0}
    assert (reading.tier, reading.request_id) == (
        "batch",
        json.loads(text)["response"]["request_id"],
    )
