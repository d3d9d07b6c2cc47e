"""Exhibits of responses read wrongly elsewhere: cached twice, streams, aborts, batches, routes."""

import json

import pytest

from meter.usage.framing import chunk, frame, sse
from tallybook.clock import FixedClock
from tallybook.errors import EventError
from tallybook.meter.ingest import ingest
from tallybook.meter.sources.jsonl import Jsonl
from tallybook.meter.usage.read import UsageStream, read_body, read_response, read_usage
from tallybook.meter.usage.summary import summary
from tallybook.store import Store

# One call: 3 input tokens, 1,111 read from the cache, 418 written to it, 33 written.
ANTHROPIC = {
    "input_tokens": 3, "cache_read_input_tokens": 1111, "cache_creation_input_tokens": 418,
    "cache_creation": {"ephemeral_5m_input_tokens": 418, "ephemeral_1h_input_tokens": 0},
    "output_tokens": 33,
}  # fmt: skip
CHAT = {
    "prompt_tokens": 1532, "completion_tokens": 33, "total_tokens": 1565,
    "prompt_tokens_details": {"cached_tokens": 1111, "cache_write_tokens": 418},
}  # fmt: skip
RESPONSES = {
    "input_tokens": 1532, "output_tokens": 33, "total_tokens": 1565,
    "input_tokens_details": {"cached_tokens": 1111, "cache_write_tokens": 418},
}  # fmt: skip
CONVERSE = {
    "inputTokens": 3, "outputTokens": 33, "totalTokens": 1565,
    "cacheReadInputTokens": 1111, "cacheReadInputTokenCount": 1111,
    "cacheWriteInputTokens": 418, "cacheWriteInputTokenCount": 418,
    "cacheDetails": [{"ttl": "5m", "inputTokens": 418}],
}  # fmt: skip
METRICS = {
    "amazon-bedrock-invocationMetrics": {
        "inputTokenCount": 3, "outputTokenCount": 33,
        "cacheReadInputTokenCount": 1111, "cacheWriteInputTokenCount": 418,
    }
}  # fmt: skip
HEADERS = {
    "x-amzn-bedrock-input-token-count": "3",
    "x-amzn-bedrock-output-token-count": "33",
    "x-amzn-bedrock-cache-read-input-token-count": "1111",
    "x-amzn-bedrock-cache-write-input-token-count": "418",
}
COMPLETION = {"id": "c1", "object": "chat.completion", "model": "m", "usage": CHAT}
PIECE = {"id": "c1", "object": "chat.completion.chunk", "model": "m"}
MESSAGE = {"id": "m1", "type": "message", "model": "m", "usage": ANTHROPIC}
RESPONSE = {
    "id": "r1",
    "object": "response",
    "model": "m",
    "status": "completed",
    "usage": RESPONSES,
}
START = {
    "type": "message_start",
    "message": MESSAGE | {"usage": ANTHROPIC | {"output_tokens": 1}},
}
END = ({"type": "message_delta", "usage": {"output_tokens": 33}}, {"type": "message_stop"})
CHAT_STREAM = sse(
    PIECE | {"choices": [{"delta": {"content": "a"}}], "usage": None},
    PIECE | {"choices": [{"delta": {}, "finish_reason": "stop"}], "usage": None},
    PIECE | {"choices": [], "usage": CHAT},
    done=True,
)


def packed(body):
    return json.dumps(body).encode()


def batch_line(body):
    return packed({"custom_id": "a", "response": {"status_code": 200, "body": body}})


ROUTES = {
    "openai chat": ("openai", "/v1/chat/completions", "json", packed(COMPLETION)),
    "openai chat stream": ("openai", "/v1/chat/completions", "sse", CHAT_STREAM),
    "openai chat batch": ("openai", "/v1/chat/completions", "json", batch_line(COMPLETION)),
    "azure chat": ("azure", "/openai/deployments/d/chat/completions", "json", packed(COMPLETION)),
    "azure chat stream": ("azure", "", "sse", sse(PIECE | {"choices": []}) + CHAT_STREAM),
    "openrouter chat": ("openrouter", "/api/v1/chat/completions", "json", packed(COMPLETION)),
    "openai responses": ("openai", "/v1/responses", "json", packed(RESPONSE)),
    "openai responses stream": (
        "openai",
        "/v1/responses",
        "sse",
        sse(
            {"type": "response.created", "response": RESPONSE | {"usage": None}},
            {"type": "response.completed", "response": RESPONSE},
        ),
    ),
    "openai responses batch": ("openai", "/v1/responses", "json", batch_line(RESPONSE)),
    "anthropic": ("anthropic", "/v1/messages", "json", packed(MESSAGE)),
    "anthropic stream": ("anthropic", "/v1/messages", "sse", sse(START, *END)),
    "anthropic batch": (
        "anthropic",
        "",
        "json",
        packed({"custom_id": "a", "result": {"type": "succeeded", "message": MESSAGE}}),
    ),
    "vertex": ("vertex_ai", "/publishers/anthropic/models/m:rawPredict", "json", packed(MESSAGE)),
    "vertex stream": ("vertex_ai", "m:streamRawPredict", "sse", sse(START, *END)),
    "bedrock invoke": ("aws", "InvokeModel", "json", packed(MESSAGE)),
    "bedrock invoke, headers": ("aws", "InvokeModel", "json", b'{"text":"a"}'),
    "bedrock invoke stream": (
        "aws",
        "InvokeModelWithResponseStream",
        "aws-eventstream",
        chunk(START) + chunk(END[0]) + chunk(END[1] | METRICS),
    ),
    "bedrock invoke stream, metrics": (
        "aws",
        "InvokeModelWithResponseStream",
        "aws-eventstream",
        chunk({"outputs": []}) + chunk({"outputs": []} | METRICS),
    ),
    "bedrock converse": ("aws", "Converse", "json", packed({"usage": CONVERSE})),
    "bedrock converse stream": (
        "aws",
        "ConverseStream",
        "aws-eventstream",
        frame("messageStart", b"{}") + frame("metadata", packed({"usage": CONVERSE})),
    ),
}
TRUTH = {
    "input_tokens": 1532,
    "uncached_input_tokens": 3,
    "cache_read_tokens": 1111,
    "cache_write_tokens": 418,
    "output_tokens": 33,
}


def read(route):
    provider, endpoint, wire, body = ROUTES[route]
    headers = HEADERS if endpoint.startswith("Invoke") else {}
    return read_response(body, provider=provider, endpoint=endpoint, wire=wire, headers=headers)


def test_a01_a_response_with_cached_tokens_counts_each_once():
    """L#9812: 12,304 cache-write tokens charged twice, $0.0913 for $0.0544. Ours: each in one class."""
    usage = {
        "prompt_tokens": 12_311, "completion_tokens": 550, "total_tokens": 12_861,
        "prompt_tokens_details": {"cached_tokens": 0, "cache_creation_tokens": 12_304},
        "cache_creation_input_tokens": 12_304, "cache_read_input_tokens": 0,
    }  # fmt: skip
    assert read_usage(usage, provider="openai").tokens == {
        "input_uncached": 7,
        "cache_read": 0,
        "cache_write": 12_304,
        "output": 550,
    }


def test_a03_a_response_whose_cached_tokens_exceed_its_input_is_not_cut_to_fit():
    """LF#12306: both conventions under one name. Ours: a part above its whole leaves it unknown."""
    usage = {"prompt_tokens": 130_213, "prompt_tokens_details": {"cached_tokens": 130_214}}
    with pytest.raises(EventError, match="130214, more than"):
        read_usage(usage, provider="openai")
    reading = read_body({"id": "c", "usage": usage}, provider="openai")
    assert reading.usage == "unknown"
    assert [part.tokens for part in reading.parts] == [None]
    assert "130214, more than" in reading.notes[0]


def test_a05_a_stream_without_usage_is_unknown():
    """BurnLens 1.27: 0 tokens, $0.0, `calculated`; Portkey shows 0. Ours: unknown, and what to ask."""
    body = sse(
        PIECE | {"choices": [{"delta": {"content": "a"}, "finish_reason": "stop"}]}, done=True
    )
    reading = read_response(body, provider="openai", wire="sse")
    assert reading.usage == "unknown"
    assert [(part.tokens, part.units) for part in reading.parts] == [(None, None)]
    assert summary(reading)["input_tokens"] is None
    assert "include_usage" in " ".join(reading.notes)


def test_a06_a_client_that_hangs_up_at_any_byte_is_never_billed_as_zero():
    """L PR 30630, PR 39893: aborts undercounted, then priced on a placeholder. Ours: a bound."""
    for route, (provider, endpoint, wire, body) in ROUTES.items():
        if wire == "json":
            continue
        for end in range(len(body)):
            stream = UsageStream(provider=provider, endpoint=endpoint, wire=wire)
            stream.feed(body[:end])
            reading = stream.finish()
            if stream.ended:
                continue
            figures = [n for part in reading.parts for n in (part.tokens or {}).values()]
            assert reading.usage == ("estimated" if any(figures) else "unknown"), (route, end)
            assert reading.status == "client_aborted"
            outputs = [part.tokens["output"] for part in reading.parts if part.tokens]
            assert set(outputs) <= {None, 33}, (route, end)  # 1 is the placeholder of the start


@pytest.fixture
def store(tmp_path):
    books = Store.create(tmp_path / "books")
    yield books
    books.close()


def test_a11_a_batch_is_billed_by_its_lines_however_often_it_is_polled(store):
    """L#12084: a batch billed for each poll. Ours: polls carry nothing, a line is claimed once."""
    batch = {
        "id": "batch_1",
        "object": "batch",
        "usage": {"input_tokens": 3064, "output_tokens": 66},
    }
    polls = [read_body(batch, provider="openai") for _ in range(3)]
    assert {reading.usage for reading in polls} == {"unknown"}
    assert [part.tokens for reading in polls for part in reading.parts] == [None] * 3
    lines = [batch_line(COMPLETION | {"id": f"c{n}"}) for n in range(2)]
    path = store.home / "lines.jsonl"
    accepted = 0
    for _ in range(3):
        readings = [read_response(line, provider="openai") for line in lines]
        assert {reading.tier for reading in readings} == {"batch"}
        path.write_bytes(b"".join(packed(event_of(reading)) + b"\n" for reading in readings))
        done = ingest(
            store,
            Jsonl([path]),
            clock=FixedClock(1),
            new_id=iter(map(str, range(99))).__next__,
            on_progress=None,
            reject_folder=store.home,
        )
        accepted += done.accepted
    assert accepted == 2


def event_of(reading):
    return {
        "event_id": reading.response_id, "source": "batch", "started_at": "2026-10-03T10:00:00Z",
        "provider": reading.provider, "model": reading.model, "tier": reading.tier,
        "tokens": reading.parts[0].tokens,
    }  # fmt: skip


@pytest.mark.parametrize("route", ROUTES)
def test_a13_every_route_and_wire_of_a_call_tells_the_same_usage(route):
    """L#31584, L#29079, L#11789: what a call used or whose it was hung on its route. Ours: one usage."""
    reading = read(route)
    told = summary(reading)
    assert {name: told[name] for name in TRUTH} == TRUTH
    assert (reading.usage, reading.status, len(reading.parts)) == ("reported", "ok", 1)
    assert reading.tier == ("batch" if "batch" in route else "")
