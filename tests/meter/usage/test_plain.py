"""The reader of plain answers says what the whole reader says, or stands back."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meter.usage.recorded import body, entries
from tallybook.errors import EventError
from tallybook.meter.usage.plain import plain_reader
from tallybook.meter.usage.read import read_response

CHAT, MESSAGES = "/v1/chat/completions", "/v1/messages"
COUNTS = st.integers(0, 5000) | st.sampled_from([None, 62.0, -1, 1.5, "7", True, 10**18])
HEADERS = {"x-request-id": "req_1", "content-type": "application/json"}


def both(told: object, provider: str, endpoint: str, model: str = "gpt-4o"):
    raw = json.dumps(told).encode()
    reader = plain_reader(provider, endpoint, model)
    assert reader is not None
    found = reader(raw, HEADERS)
    try:
        whole = read_response(
            raw, provider=provider, endpoint=endpoint, headers=HEADERS, model=model
        )
    except EventError:
        whole = None
    return found, whole


def some(**fields: st.SearchStrategy[object]) -> st.SearchStrategy[dict[str, object]]:
    return st.fixed_dictionaries({}, optional=fields)


IN = some(cached_tokens=COUNTS, audio_tokens=COUNTS, cache_write_tokens=COUNTS, image_tokens=COUNTS)
OUT = some(
    reasoning_tokens=COUNTS,
    audio_tokens=COUNTS,
    accepted_prediction_tokens=COUNTS,
    rejected_prediction_tokens=COUNTS,
)
CHAT_USAGE = some(
    prompt_tokens=COUNTS,
    completion_tokens=COUNTS,
    total_tokens=COUNTS,
    prompt_tokens_details=IN | st.none(),
    completion_tokens_details=OUT | st.none(),
    prompt_cache_hit_tokens=COUNTS,
    prompt_cache_miss_tokens=COUNTS,
    cost=st.just("0.5"),
    num_search_queries=COUNTS,
    service_tier=st.just("flex"),
)
TEXT = st.sampled_from(["", "gpt-4o-2024-08-06", "flex", "auto", "default"]) | st.none()
AROUND = some(
    id=TEXT,
    model=TEXT,
    service_tier=TEXT,
    object=st.sampled_from(["chat.completion", "list", "batch", "text_completion"]),
    error=st.just({"type": "x"}),
    response=st.just({"usage": {"prompt_tokens": 1}}),
    message=st.just({"usage": {"prompt_tokens": 1}}),
    custom_id=st.just("c"),
    data=st.just([]),
    type=st.just("batch"),
    usage_breakdown=st.just({"models": []}),
    x_groq=st.just({"usage": {"prompt_tokens": 9}}),
    choices=st.just([{"message": {"content": 'a "usage": {"prompt_tokens": 7} b'}}]),
)


@pytest.mark.parametrize("value", [None, 0, 1, 10**30, 1.0, -1.5, "", "x", True, [], {}])
@pytest.mark.parametrize("name", ["custom_id", "response", "usage_breakdown", "type", "data"])
def test_a_key_of_an_envelope_is_left_to_the_whole_reader_whatever_it_holds(name, value):
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    assert both({"model": "m", "usage": usage}, "openai", CHAT)[0] is not None
    assert both({"model": "m", "usage": usage, name: value}, "openai", CHAT)[0] is None


@given(AROUND, CHAT_USAGE, st.booleans(), st.sampled_from(["openai", "azure", "vllm", "deepseek"]))
def test_a_chat_is_read_as_the_whole_reader_reads_it(around, usage, adds_up, provider):
    if adds_up and {type(usage.get(n)) for n in ("prompt_tokens", "completion_tokens")} == {int}:
        usage["total_tokens"] = usage["prompt_tokens"] + usage["completion_tokens"]
    found, whole = both({**around, "usage": usage}, provider, CHAT)
    assert found is None or found == whole


MESSAGE_USAGE = some(
    input_tokens=COUNTS,
    output_tokens=COUNTS,
    cache_creation_input_tokens=COUNTS,
    cache_read_input_tokens=COUNTS,
    cache_creation=some(ephemeral_5m_input_tokens=COUNTS, ephemeral_1h_input_tokens=COUNTS)
    | st.none(),
    service_tier=TEXT,
    server_tool_use=st.none() | st.just({"web_search_requests": 2}),
    inference_geo=TEXT | st.just("not_available"),
    iterations=st.just([]),
)


@given(AROUND, MESSAGE_USAGE, st.booleans())
def test_a_message_is_read_as_the_whole_reader_reads_it(around, usage, adds_up):
    told = {**around, "usage": usage, "type": "message"}
    lives = usage.get("cache_creation")
    if adds_up and isinstance(lives, dict) and {type(one) for one in lives.values()} == {int}:
        usage["cache_creation_input_tokens"] = sum(lives.values())
    found, whole = both(told, "anthropic", MESSAGES, "claude-sonnet-4-5")
    assert found is None or found == whole


@pytest.mark.parametrize(
    ("endpoint", "provider", "told"),
    [
        (
            CHAT,
            "openai",
            {
                "id": "chatcmpl-1",
                "object": "chat.completion",
                "model": "gpt-4o-2024-08-06",
                "service_tier": "default",
                "choices": [],
                "usage": {
                    "prompt_tokens": 4020,
                    "completion_tokens": 40,
                    "total_tokens": 4060,
                    "prompt_tokens_details": {"cached_tokens": 4012, "audio_tokens": 0},
                    "completion_tokens_details": {"reasoning_tokens": 30, "audio_tokens": 0},
                },
            },
        ),
        (
            MESSAGES,
            "anthropic",
            {
                "id": "msg_1",
                "type": "message",
                "model": "claude-sonnet-4-5",
                "usage": {
                    "input_tokens": 8,
                    "output_tokens": 4,
                    "cache_creation_input_tokens": 5,
                    "cache_read_input_tokens": 12,
                    "cache_creation": {
                        "ephemeral_5m_input_tokens": 5,
                        "ephemeral_1h_input_tokens": 0,
                    },
                    "service_tier": "standard",
                },
            },
        ),
    ],
)
def test_plain_answers_are_read_in_one_step(endpoint, provider, told):
    found, whole = both(told, provider, endpoint)
    assert found is not None
    assert found == whole
    assert found.usage == "reported"
    assert found.request_id == "req_1"


def test_clouds_and_other_conventions_are_left_to_the_whole_reader():
    for provider in ("aws", "google", "x-ai", "perplexity", "mistral"):
        assert plain_reader(provider, CHAT) is None
    assert plain_reader("openai", "/v1/responses") is None


def test_no_recording_is_read_otherwise():
    recorded = [one for one in entries() if one["wire"] == "json"]
    if not recorded:
        pytest.skip("no recorded responses in ../shared/data")
    read = 0
    for one in recorded:
        reader = plain_reader(one["provider"], one["endpoint"])
        if reader is None:
            continue
        told = {name.lower(): value for name, value in (one["response_headers"] or {}).items()}
        found = reader(body(one), told)
        if found is not None:
            read += 1
            assert found == read_response(
                body(one), provider=one["provider"], endpoint=one["endpoint"], headers=told
            ), one["id"]
    assert read >= 4
