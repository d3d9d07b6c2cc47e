"""Any JSON and any bytes, for every provider and endpoint: a correct reading, or a refusal."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meter.usage import test_stream
from tallybook.books.meters import TOKEN_CLASSES, TOKEN_CLASSES_INFORMATIVE
from tallybook.errors import EventError
from tallybook.meter.model import COUNT_MAX, STATUSES, USAGES
from tallybook.meter.providers import _SPELLINGS
from tallybook.meter.read import read_event
from tallybook.meter.usage import conventions
from tallybook.meter.usage.convention import Convention
from tallybook.meter.usage.model import WIRES
from tallybook.meter.usage.read import UsageStream, read_body, read_parts, read_response

CLASSES = {*TOKEN_CLASSES, *TOKEN_CLASSES_INFORMATIVE}
ENDPOINTS = (
    *("", "/v1/chat/completions", "/v1/responses", "/v1/messages", "/v1/embeddings"),
    *("/v1/images/generations", "/v1/audio/transcriptions", "/v1/audio/speech", "/v1/moderations"),
    *("Converse", "InvokeModel", "generateContent", "predict", "cachedContents", "interactions"),
    *("/v2/chat", "/v2/rerank", "/api/chat", "/v1/ocr", "realtime"),
)
PROVIDERS = st.sampled_from(sorted(_SPELLINGS))
PATHS = {
    key
    for how in vars(conventions).values()
    if isinstance(how, Convention)
    for paths in (
        *(how.input, how.output, how.total, how.beside_input, how.cache_read, how.cache_write),
        *(how.audio_input, how.image_input, how.cached_audio, how.cached_image, how.reasoning),
        *(how.audio_output, how.image_output, how.beside_output),
        tuple(path for _, path in how.writes),
    )
    for path in paths
    for key in path
}
ENVELOPE = (
    *("usage", "usageMetadata", "meta", "billed_units", "usage_info", "model", "id", "type"),
    *("object", "choices", "candidates", "response", "result", "message", "custom_id", "error"),
    *("iterations", "tool_usage", "image_gen", "web_search", "num_requests", "server_tool_use"),
    *("web_search_requests", "usage_breakdown", "models", "x_groq", "serviceTier", "tier", "trace"),
    *("guardrail", "inputAssessment", "outputAssessments", "invocationMetrics", "cacheDetails"),
    *("seconds", "duration", "svg_usage", "data", "output", "tools", "status", "service_tier"),
    *("speed", "inference_geo", "cost", "cost_in_usd_ticks", "predictions", "embeddings"),
    *("statistics", "token_count", "name", "createTime", "groundingMetadata", "webSearchQueries"),
    *("amazon-bedrock-invocationMetrics", "delta", "interaction", "metadata", "bytes", "done"),
    *("promptTokenDetails", "modality", "tokenCount", "tokens", "results", "pages", "images"),
)
KEYS = st.sampled_from(sorted(PATHS | set(ENVELOPE)))
FIGURES = st.one_of(
    st.integers(0, 50),
    st.integers(-5, 2**64),
    st.decimals(allow_nan=False, allow_infinity=False, places=2),
    st.floats(),
)
WORDS = st.sampled_from(
    [
        "",
        "message",
        "compaction",
        "TEXT",
        "AUDIO",
        "5m",
        "batch",
        "duration",
        "queued",
        "response.done",
    ]
)
LEAVES = st.one_of(FIGURES, FIGURES, st.none(), st.booleans(), WORDS, st.text(max_size=5))
JSON = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.dictionaries(KEYS, inner, max_size=6), st.lists(inner, max_size=3)),
    max_leaves=24,
)
BODIES = st.dictionaries(KEYS, JSON, max_size=6)


def events_of(data):
    """The events of a stream of text; of frames, the data inside is not looked for."""
    lines = [line.removeprefix(b"data: ") for line in data.splitlines()]
    return [json.loads(line) for line in lines if line.startswith(b"{")]


def check(reading):
    """What holds of every reading, and that an event can be made of each of its parts."""
    assert reading.usage in USAGES
    assert reading.status in STATUSES
    assert reading.parts
    known = []
    for n, part in enumerate(reading.parts):
        assert set(part.tokens or ()) <= CLASSES
        figures = [*(part.tokens or {}).values(), *(part.units or {}).values()]
        assert all(number is None or 0 <= number <= COUNT_MAX for number in figures)
        known += [number for number in figures if number is not None]
        read_event(
            {
                "event_id": f"e/{n}",
                "source": "fuzz",
                "started_at": "2026-10-03T10:00:00Z",
                "provider": reading.provider or "p",
                "model": part.model or "m",
                "usage": reading.usage,
                "tokens": part.tokens,
                "units": part.units,
            }
        )
    if not known:
        assert reading.usage == "unknown" or reading.status == "error"
    if reading.usage == "unknown":
        assert not known
        assert reading.notes
    if reading.reported_cost:
        assert Decimal(reading.reported_cost[0]) >= 0


def places(value, path=()):
    """Every place in a JSON value, as a path."""
    yield path
    children = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, child in children:
        yield from places(child, (*path, key))


def put(value, path, new):
    """The value with another one at a place."""
    if not path:
        return new
    changed = copy.copy(value)
    changed[path[0]] = put(value[path[0]], path[1:], new)
    return changed


SHAPES = [
    ("openai", "/v1/chat/completions", {"id": "a", "object": "chat.completion", "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12, "prompt_tokens_details": {"cached_tokens": 1, "cache_write_tokens": 1, "audio_tokens": 1}, "completion_tokens_details": {"reasoning_tokens": 1}, "cost": 1}}),
    ("groq", "", {"usage": {"prompt_tokens": 2, "completion_tokens": 2}, "usage_breakdown": {"models": [{"model": "a", "usage": {"prompt_tokens": 2, "completion_tokens": 2}}]}, "x_groq": {"usage": {}}}),
    ("openai", "/v1/responses", {"id": "a", "object": "response", "status": "completed", "usage": {"input_tokens": 9, "output_tokens": 3, "input_tokens_details": {"cached_tokens": 1}}, "tool_usage": {"web_search": {"num_requests": 1}, "image_gen": {"input_tokens": 1, "output_tokens": 2}}, "tools": [{"type": "image_generation", "model": "i"}], "output": [{"type": "web_search_call", "action": {"type": "search"}}, {"type": "code_interpreter_call", "container_id": "c"}]}),
    ("openai", "/v1/images/generations", {"data": [{}], "usage": {"input_tokens": 1, "output_tokens": 2}, "svg_usage": {"input_tokens": 1, "model": "s"}}),
    ("openai", "/v1/audio/transcriptions", {"usage": {"type": "duration", "seconds": 3}, "duration": 3}),
    ("openai", "", {"custom_id": "a", "response": {"status_code": 200, "request_id": "r", "body": {"usage": {"prompt_tokens": 3, "total_tokens": 3}}}, "error": None}),
    ("anthropic", "/v1/messages", {"id": "a", "type": "message", "usage": {"input_tokens": 1, "output_tokens": 2, "cache_creation_input_tokens": 3, "cache_creation": {"ephemeral_5m_input_tokens": 3}, "server_tool_use": {"web_search_requests": 1}, "service_tier": "standard", "speed": "fast", "inference_geo": "us", "fallback_credit": {"status": "redeemed"}, "iterations": [{"type": "compaction", "model": "x", "input_tokens": 5, "output_tokens": 1}, {"type": "message", "input_tokens": 1, "output_tokens": 2}]}}),
    ("aws", "Converse", {"usage": {"inputTokens": 1, "outputTokens": 2, "cacheWriteInputTokens": 3, "cacheDetails": [{"ttl": "5m", "inputTokens": 3}]}, "serviceTier": {"type": "flex"}, "performanceConfig": {"latency": "optimized"}, "trace": {"promptRouter": {"invokedModelId": "m"}, "guardrail": {"inputAssessment": {"g": {"invocationMetrics": {"usage": {"topicPolicyUnits": 1}}}}, "outputAssessments": {"g": [{}]}}}}),
    ("aws", "InvokeModel", {"inputTextTokenCount": 3, "results": [{"tokenCount": 2}]}),
    ("aws", "InvokeModel", {"prompt_token_count": 3, "generation_token_count": 2}),
    ("google", "generateContent", {"candidates": [{"groundingMetadata": {"webSearchQueries": ["a"], "groundingChunks": [{"maps": {}}]}}], "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 3, "totalTokenCount": 12, "promptTokensDetails": [{"modality": "IMAGE", "tokenCount": 4}], "cacheTokensDetails": [{"modality": "IMAGE", "tokenCount": 1}], "cachedContentTokenCount": 2, "trafficType": "ON_DEMAND"}, "modelVersion": "gemini-2.5"}),
    ("google", "cachedContents", {"name": "cachedContents/a", "usageMetadata": {"totalTokenCount": 9}, "createTime": "2026-01-01T00:00:00Z", "expireTime": "2026-01-01T01:00:00Z"}),
    ("google", "predict", {"predictions": [{"embeddings": {"statistics": {"token_count": 3}}}], "metadata": {"billableCharacterCount": 3}}),
    ("cohere", "/v2/chat", {"id": "a", "usage": {"billed_units": {"input_tokens": 3, "output_tokens": 2, "search_units": 1, "images": 1, "image_tokens": 1}, "tokens": {"input_tokens": 4}, "cached_tokens": 2}}),
    ("mistral", "/v1/ocr", {"usage_info": {"pages_processed": 3}, "pages": [{"images": [{"image_annotation": "a"}]}]}),
    ("ollama", "/api/chat", {"model": "m", "done": True, "prompt_eval_count": 3, "eval_count": 2}),
    ("perplexity", "", {"usage": {"prompt_tokens": 3, "completion_tokens": 2, "reasoning_tokens": 4, "citation_tokens": 1, "cost": {"total_cost": 1}, "num_search_queries": 2}}),
]  # fmt: skip


@given(st.data(), st.booleans())
@settings(max_examples=400)
def test_a_real_shape_with_something_else_in_some_places_gives_a_reading(data, as_event):
    provider, endpoint, body = data.draw(st.sampled_from(SHAPES))
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from([*places(body)][1:]))
        body = put(body, path, data.draw(JSON))
    check(read_body(body, provider=provider, endpoint=data.draw(st.sampled_from([endpoint, ""]))))
    if as_event:
        stream = UsageStream(provider=provider, endpoint=endpoint, wire="sse")
        stream.feed(b"data: " + json.dumps(body, default=str).encode() + b"\n\n")
        check(stream.finish())


@pytest.mark.parametrize(("provider", "endpoint", "body"), SHAPES)
@pytest.mark.parametrize("strange", [[], {}, [1], {"a": 1}, "x", -1, 0.5, True, 2**70, None])
def test_every_place_of_every_shape_with_something_strange_in_it(provider, endpoint, body, strange):
    for path in [*places(body)][1:]:
        changed = put(body, path, strange)
        check(read_body(changed, provider=provider, endpoint=endpoint))
        check(read_body(changed, provider=provider))
        stream = UsageStream(provider=provider, endpoint=endpoint)
        stream.take(changed)
        check(stream.finish())


EVENTS = [event for _, whole in test_stream.STREAMS.values() for event in events_of(whole)]


@pytest.mark.parametrize("strange", [[], {}, [1], {"a": 1}, "x", -1, True, None])
def test_every_place_of_every_event_with_something_strange_in_it(strange):
    for event in EVENTS:
        for path in [*places(event)][1:]:
            stream = UsageStream(provider="openai", model="m")
            stream.take(event)
            stream.take(put(event, path, strange))
            stream.take(event)
            check(stream.finish())


@given(BODIES, PROVIDERS, st.sampled_from(ENDPOINTS))
@settings(max_examples=150)
def test_any_body_gives_a_reading(body, provider, endpoint):
    check(read_body(body, provider=provider, endpoint=endpoint, model="m"))


@given(BODIES, PROVIDERS, st.sampled_from(ENDPOINTS))
@settings(max_examples=100)
def test_any_usage_gives_parts_or_a_refusal(usage, provider, endpoint):
    try:
        parts = read_parts(usage, provider=provider, endpoint=endpoint, model="m")
    except EventError:
        return
    assert parts


@given(st.binary(max_size=200), PROVIDERS, st.sampled_from(ENDPOINTS), st.sampled_from(WIRES))
@settings(max_examples=100)
def test_any_bytes_give_a_reading_or_a_refusal(data, provider, endpoint, wire):
    if wire == "json":
        with suppress(EventError):
            check(read_response(data, provider=provider, endpoint=endpoint, model="m"))
    stream = UsageStream(provider=provider, endpoint=endpoint, wire=wire, model="m")
    stream.feed(data)
    check(stream.finish())


@given(st.lists(BODIES, max_size=4), PROVIDERS, st.sampled_from(ENDPOINTS))
@settings(max_examples=100)
def test_any_events_give_a_reading(events, provider, endpoint):
    stream = UsageStream(provider=provider, endpoint=endpoint, model="m")
    for event in events:
        stream.take(event)
    check(stream.finish())


@given(st.data())
@settings(max_examples=100)
def test_a_stream_with_some_bytes_changed_gives_a_reading(data):
    asked, whole = test_stream.STREAMS[data.draw(st.sampled_from(sorted(test_stream.STREAMS)))]
    changed = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    stream = UsageStream(**asked)
    stream.feed(bytes(changed))
    check(stream.finish())


@pytest.mark.parametrize("depth", [200, 100_000])
def test_a_body_nested_beyond_reason_is_refused(depth):
    deep = b'{"usage":' + b"[" * depth + b"]" * depth + b"}"
    try:
        reading = read_response(deep, provider="openai")
    except EventError:
        assert depth > 200
    else:
        assert reading.usage == "unknown"


@given(BODIES)
@settings(max_examples=100)
def test_bytes_and_the_parsed_body_give_one_reading(body):
    try:
        data = json.dumps(body, default=str, allow_nan=False).encode()
    except ValueError:
        return
    parsed = json.loads(data, parse_float=Decimal)
    try:
        reading = read_response(data, provider="openai")
    except EventError:
        return
    assert reading == read_body(parsed, provider="openai")
