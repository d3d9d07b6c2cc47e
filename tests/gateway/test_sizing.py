"""How large a call can be, from the body that each provider's clients send."""

from __future__ import annotations

import json

import pytest

from tallybook.gateway.sizing import batched, sized, with_model
from tallybook.sdk.asked import Asked


def asked(operation="chat"):
    return Asked("openai", "/v1/chat/completions", operation, "m", False, False, False)


BODIES = [
    ({"max_tokens": 5}, 5, True),
    ({"max_completion_tokens": 7, "max_tokens": 5}, 7, True),
    ({"max_output_tokens": 9}, 9, True),
    ({"max_tokens_to_sample": 3}, 3, True),
    ({"max_gen_len": 4}, 4, True),
    ({"generationConfig": {"maxOutputTokens": 11}}, 11, True),
    ({"generationConfig": {"maxOutputTokens": 11, "candidateCount": 2}}, 22, True),
    ({"inferenceConfig": {"maxTokens": 13}}, 13, True),
    ({"max_tokens": 5, "n": 4}, 20, True),
    ({"max_tokens": 5, "best_of": 3}, 15, True),
    ({}, 1000, False),
    ({"n": 2}, 2000, False),
    ({"max_tokens": None}, 1000, False),
    ({"max_tokens": -5}, 1000, False),
    ({"max_tokens": True}, 1000, False),
    ({"max_tokens": "5"}, 1000, False),
]


@pytest.mark.parametrize(("body", "tokens", "is_stated"), BODIES)
def test_the_output_is_bounded_by_what_the_request_states(body, tokens, is_stated):
    data = json.dumps(body).encode()
    size, _ = sized(asked(), data, 1000)
    assert (size.output_tokens, size.is_stated) == (tokens, is_stated)
    assert size.input_tokens == len(data) + 512


@pytest.mark.parametrize("body", [{"max_tokens": 2**63 - 1}, {"max_tokens": 5, "n": 2**62}])
def test_an_answer_is_never_longer_than_any_model_answers(body):
    """A caller's largest whole number once made a notice that no column of the books holds."""
    size, _ = sized(asked(), json.dumps(body).encode(), 1000)
    assert (size.output_tokens, size.is_stated) == (100_000_000, True)


def test_sound_is_heard_however_it_is_written():
    size, _ = sized(asked(), b'{"generationConfig": {"responseModalities": ["AUDIO"]}}', 1)
    assert size.hears


def test_a_body_that_cannot_be_read_is_bounded_by_the_model(tmp_path):
    assert sized(asked(), b"\xff{", 1000)[0].output_tokens == 1000


@pytest.mark.parametrize(
    "body",
    [
        {"previous_response_id": "r"},
        {"messages": [{"content": [{"type": "image_url", "image_url": {"url": "https://x"}}]}]},
        {"contents": [{"parts": [{"fileData": {"fileUri": "gs://x"}}]}]},
        {"messages": [{"content": [{"source": {"type": "url", "url": "https://x"}}]}]},
        {"content": [{"type": "document", "source": {"type": "base64", "data": "JVBERi0"}}]},
        {"content": [{"document": {"format": "docx", "source": {"bytes": "UEsDBA"}}}]},
        {"contents": [{"parts": [{"inlineData": {"mimeType": "application/pdf", "data": "J"}}]}]},
    ],
)
def test_what_is_not_in_the_body_bounds_nothing(body):
    assert sized(asked(), json.dumps(body).encode(), 10)[0].input_tokens is None


@pytest.mark.parametrize("operation", ["images", "speech", "transcription"])
def test_what_is_not_billed_by_tokens_of_the_request_has_no_bound(operation):
    assert sized(asked(operation), b"{}", 10)[0].input_tokens is None


def test_embeddings_put_out_nothing_and_are_bounded():
    size, _ = sized(asked("embeddings"), b'{"input": "x"}', 10)
    assert (size.output_tokens, size.is_stated) == (0, True)


@pytest.mark.parametrize(
    ("told", "tier"), [("priority", "priority"), ("flex", "flex"), ("auto", ""), (5, "")]
)
def test_a_dearer_tier_is_seen(told, tier):
    assert sized(asked(), json.dumps({"service_tier": told}).encode(), 1)[1] == tier


@pytest.mark.parametrize(("told", "tier"), [("fast", "fast"), ("standard", ""), (1.5, "")])
def test_a_faster_answer_is_a_tier_of_its_own(told, tier):
    """It has a price of its own, or none: it is not held at the price of the usual one."""
    assert sized(asked("messages"), json.dumps({"speed": told}).encode(), 1)[1] == tier


def test_what_costs_more_than_plain_input_is_seen():
    size, _ = sized(asked(), b'{"cache_control": 1, "input_audio": 2, "image": 3}', 1)
    assert (size.caches, size.hears, size.sees) == (True, True, True)


def test_another_model_leaves_the_rest_as_it_was():
    body = b'{"a":1.50,"model":"dear","b":{"x":[1,2]},"c":"\\u00e9"}'
    assert with_model(body, "cheap") == body.replace(b"dear", b"cheap")
    with pytest.raises(ValueError, match="does not stand"):
        with_model(b'{"a":1}', "cheap")


def test_the_requests_of_a_batch_are_added_up_by_model():
    lines = [
        b'{"custom_id": "a", "url": "/v1/chat/completions", "body": {"model": "m", "max_tokens": 7}}',
        b'{"custom_id": "b", "url": "/v1/chat/completions", "body": {"model": "m", "messages": [1]}}',
        b'{"custom_id": "c", "url": "/v1/embeddings", "body": {"model": "e", "input": "x"}}',
    ]
    groups = {}
    for line in lines:
        groups = batched(groups, line, "openai", 100)
    chat, embedding = groups["m"], groups["e"]
    assert (chat.requests, chat.size.output_tokens, chat.size.is_stated) == (2, 107, False)
    assert (chat.most, chat.size.input_tokens) == (543, 2 * 543)
    assert (embedding.size.output_tokens, embedding.size.is_stated) == (0, True)


@pytest.mark.parametrize("line", [b"{oops", b"{}", b'{"body": 3}', b'{"requests": []}'])
def test_what_is_no_request_of_a_batch_is_said_so(line):
    with pytest.raises(ValueError, match="no request"):
        batched({}, line, "openai", 100)
