"""Streams: any pieces give the whole's reading; a cut gives a bound or nothing, and never zero."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meter.usage import recorded
from meter.usage.framing import chunk, frame, sse
from tallybook.meter.usage.fold import Folded, fold
from tallybook.meter.usage.read import UsageStream, read_response

USAGE = {"prompt_tokens": 78, "completion_tokens": 9, "total_tokens": 87}
CHAT = {"id": "c1", "object": "chat.completion.chunk", "model": "gpt-4o-mini"}
START = {
    "type": "message_start",
    "message": {
        "id": "msg_1",
        "type": "message",
        "model": "claude-sonnet-4-5",
        "usage": {
            "input_tokens": 3,
            "cache_creation_input_tokens": 418,
            "cache_read_input_tokens": 1111,
            "cache_creation": {"ephemeral_5m_input_tokens": 418, "ephemeral_1h_input_tokens": 0},
            "output_tokens": 2,
        },
    },
}
DELTA = {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 33}}
STOP = {"type": "message_stop"}
METRICS = {"amazon-bedrock-invocationMetrics": {"inputTokenCount": 3, "outputTokenCount": 33}}
GEMINI = [
    {"usageMetadata": {"trafficType": "ON_DEMAND"}, "candidates": [{"index": 0}]},
    {
        "candidates": [{"index": 0}],
        "usageMetadata": {"promptTokenCount": 46, "totalTokenCount": 46},
    },
    {
        "candidates": [{"finishReason": "STOP"}],
        "usageMetadata": {
            "promptTokenCount": 147,
            "candidatesTokenCount": 5,
            "totalTokenCount": 152,
        },
        "modelVersion": "gemini-3-flash",
    },
]
RESPONSE = {"id": "resp_1", "object": "response", "model": "gpt-5", "status": "completed"}
RESPONSES = [
    {"type": "response.created", "response": RESPONSE | {"status": "in_progress", "usage": None}},
    {"type": "response.output_text.delta", "delta": "hello"},
    {
        "type": "response.completed",
        "response": RESPONSE | {"usage": {"input_tokens": 8, "output_tokens": 2}},
    },
]

STREAMS = {
    "chat": (
        {"provider": "openai", "wire": "sse"},
        sse(
            CHAT | {"choices": [{"delta": {"content": "hi"}}], "usage": None},
            CHAT | {"choices": [{"delta": {}, "finish_reason": "stop"}], "usage": None},
            CHAT | {"choices": [], "usage": USAGE},
            done=True,
        ),
    ),
    "groq": (
        {"provider": "groq", "wire": "sse"},
        sse(
            CHAT | {"choices": [{"delta": {}}], "x_groq": {"id": "r"}},
            CHAT | {"choices": [{"finish_reason": "stop"}], "x_groq": {"id": "r", "usage": USAGE}},
            CHAT | {"choices": [], "usage": USAGE},
            done=True,
        ),
    ),
    "perplexity": (
        {"provider": "perplexity", "wire": "sse"},
        sse(
            CHAT | {"choices": [{"finish_reason": None}], "usage": USAGE | {"completion_tokens": 1}},
            CHAT | {"choices": [{"finish_reason": "stop"}], "usage": USAGE},
        ),
    ),
    "anthropic": ({"provider": "anthropic", "wire": "sse"}, sse(START, DELTA, STOP)),
    "responses": ({"provider": "openai", "wire": "sse"}, sse(*RESPONSES)),
    "gemini": ({"provider": "google", "wire": "sse"}, sse(*GEMINI)),
    "bedrock-claude": (
        {"provider": "aws", "wire": "aws-eventstream", "model": "us.anthropic.claude"},
        chunk(START) + chunk(DELTA) + chunk(STOP | METRICS),
    ),
    "bedrock-llama": (
        {"provider": "aws", "wire": "aws-eventstream", "model": "meta.llama3"},
        chunk({"generation": "a", "prompt_token_count": 25, "generation_token_count": 1})
        + chunk({"generation": "", "prompt_token_count": None, "generation_token_count": 9} | METRICS),
    ),
    "bedrock-nova": (
        {"provider": "aws", "wire": "aws-eventstream", "model": "us.amazon.nova"},
        chunk({"messageStart": {"role": "assistant"}})
        + chunk({"metadata": {"usage": {"inputTokens": 3, "outputTokens": 33}}} | METRICS),
    ),
    "bedrock-mistral": (
        {"provider": "aws", "wire": "aws-eventstream", "model": "mistral.large"},
        chunk({"outputs": [{"text": "a"}]}) + chunk({"outputs": [{"text": ""}]} | METRICS),
    ),
    "converse": (
        {"provider": "aws", "wire": "aws-eventstream", "model": "us.amazon.nova"},
        frame("messageStart", b'{"role":"assistant"}')
        + frame("contentBlockDelta", b'{"delta":{"text":"a"}}')
        + frame("metadata", b'{"usage":{"inputTokens":13,"outputTokens":82}}'),
    ),
    "cohere": (
        {"provider": "cohere", "wire": "sse"},
        sse(
            {"type": "message-start", "id": "c1"},
            {"type": "message-end", "delta": {"usage": {"billed_units": {"input_tokens": 62, "output_tokens": 28}}}},
        ),
    ),
    "ollama": (
        {"provider": "ollama", "wire": "ndjson"},
        b'{"model":"llama3","done":false}\n{"model":"llama3","done":true,"prompt_eval_count":5,"eval_count":58}\n',
    ),
    "transcript": (
        {"provider": "openai", "wire": "sse", "endpoint": "/v1/audio/transcriptions"},
        sse(
            {"type": "transcript.text.delta", "delta": "a"},
            {"type": "transcript.text.done", "usage": {"type": "tokens", "input_tokens": 9, "output_tokens": 2}},
        ),
    ),
    "interactions": (
        {"provider": "google", "wire": "sse", "endpoint": "/v1beta/interactions"},
        sse(
            {"event_type": "interaction.start", "interaction": {"id": "i1"}},
            {
                "event_type": "interaction.complete",
                "interaction": {"id": "i1", "usage": {"total_input_tokens": 5, "total_output_tokens": 2}},
            },
        ),
    ),
    "conversations": (
        {"provider": "mistral", "wire": "sse"},
        sse({"type": "conversation.response.started"}, {"type": "conversation.response.done", "usage": USAGE}),
    ),
}  # fmt: skip


def fed(asked, *pieces):
    stream = UsageStream(**asked)
    for piece in pieces:
        stream.feed(piece)
    return stream.finish()


def figures(reading):
    return [
        number
        for part in reading.parts
        for counts in (part.tokens, part.units)
        for number in (counts or {}).values()
    ]


def is_bound(reading):
    """A reading of a cut stream: known to be less, or not known; and zero of nothing."""
    if reading.usage == "unknown":
        return not any(figures(reading))
    return reading.usage == "estimated" and any(figures(reading))


@pytest.fixture(params=STREAMS, name="case")
def _case(request):
    return STREAMS[request.param]


def test_a_whole_stream_is_reported(case):
    asked, data = case
    reading = read_response(data, **asked)
    assert (reading.usage, reading.status) == ("reported", "ok")
    assert len(reading.parts) == 1
    assert sum(figures(reading)) > 0


def test_a_cut_at_every_byte_is_a_bound_or_unknown_until_the_last_event(case):
    asked, data = case
    ended = False
    for end in range(len(data) + 1):
        stream = UsageStream(**asked)
        stream.feed(data[:end])
        reading = stream.finish()
        ended = ended or stream.ended or reading.usage == "reported"
        if ended:
            assert reading == read_response(data, **asked)
        else:
            assert is_bound(reading), (end, reading)
    assert ended


@given(st.data())
@settings(max_examples=60)
def test_any_pieces_give_the_reading_of_the_whole(data):
    asked, whole = STREAMS[data.draw(st.sampled_from(sorted(STREAMS)))]
    cuts = data.draw(st.lists(st.integers(0, len(whole)), max_size=12))
    places = [0, *sorted(cuts), len(whole)]
    pieces = [whole[start:end] for start, end in pairwise(places)]
    assert fed(asked, *pieces) == read_response(whole, **asked)


RECORDED = [entry for entry in recorded.entries() if entry["wire"] != "json"] or [None]


@pytest.mark.parametrize("entry", RECORDED, ids=lambda entry: entry["id"] if entry else "absent")
def test_a_recorded_stream_cut_at_every_event_is_a_bound(entry):
    if entry is None:
        pytest.skip("the shared data is absent: provider_responses")
    asked, whole = recorded.call(entry), recorded.body(entry)
    full = read_response(whole, **asked)
    mark = b"\n" if entry["wire"] == "ndjson" else b"\n\n"
    if entry["wire"] == "aws-eventstream":
        ends = range(0, len(whole), 7)
    else:
        ends = [n for n in range(len(whole)) if whole[:n].endswith(mark)]
    for end in ends:
        reading = fed(asked, whole[:end])
        ended = whole[end:].strip() == b"" or (full == reading and full.usage != "unknown")
        assert ended or is_bound(reading), (end, reading)
    one_by_one = [whole[n : n + 1] for n in range(len(whole))]
    assert fed(asked, *one_by_one) == full


def test_an_abort_keeps_the_input_and_takes_no_placeholder_for_output():
    """Only message_start came: input is exact, 2 is no count of output."""
    reading = fed({"provider": "anthropic"}, sse(START))
    assert (reading.usage, reading.status) == ("estimated", "client_aborted")
    assert reading.parts[0].tokens == {
        "input_uncached": 3,
        "cache_read": 1111,
        "cache_write_5m": 418,
        "cache_write_1h": 0,
        "output": None,
    }


def test_a_delta_replaces_the_start_and_is_never_added():
    delta = DELTA | {
        "usage": {
            "input_tokens": 22397,
            "output_tokens": 637,
            "server_tool_use": {"web_search_requests": 2},
        }
    }
    reading = fed({"provider": "anthropic"}, sse(START, delta, STOP))
    assert reading.parts[0].tokens["input_uncached"] == 22397
    assert reading.parts[0].units == {"web_search": 2}


def test_a_delta_that_says_otherwise_of_the_cache_drops_the_split_of_the_start():
    """As measured with compaction: the start has 418 written, the end none."""
    usage = {"cache_creation_input_tokens": 0, "cache_read_input_tokens": 7, "output_tokens": 1}
    reading = fed({"provider": "anthropic"}, sse(START, DELTA | {"usage": usage}, STOP))
    assert reading.parts[0].tokens == {
        "input_uncached": 3,
        "cache_read": 7,
        "cache_write": 0,
        "output": 1,
    }


def test_a_stream_that_was_not_asked_for_usage_says_what_to_ask():
    data = sse(CHAT | {"choices": [{"delta": {}, "finish_reason": "stop"}]}, done=True)
    reading = fed({"provider": "vllm"}, data)
    assert (reading.usage, reading.status, reading.model) == ("unknown", "ok", "gpt-4o-mini")
    assert "include_usage" in " ".join(reading.notes)


def test_an_error_in_the_middle_leaves_what_was_used_as_a_bound():
    error = {"type": "error", "error": {"type": "overloaded_error"}}
    reading = fed({"provider": "anthropic"}, sse(START, error))
    assert (reading.usage, reading.status) == ("estimated", "error")
    reading = fed({"provider": "aws", "wire": "aws-eventstream"}, frame("exception", b"{}"))
    assert (reading.usage, reading.status) == ("unknown", "error")


def test_an_error_instead_of_a_stream_used_nothing():
    for wire in ("sse", "ndjson", "json"):
        reading = fed({"provider": "openai", "wire": wire}, b'{"error":{"type":"auth"}}\n')
        assert (reading.usage, reading.status) == ("reported", "error"), wire
        assert figures(reading) == []


def test_damaged_frames_keep_what_came_before():
    asked, data = STREAMS["bedrock-claude"]
    damaged = bytearray(data)
    damaged[-1] ^= 1
    reading = fed(asked, bytes(damaged))
    assert reading.usage == "estimated"
    assert "is damaged" in " ".join(reading.notes)


def test_several_responses_on_one_line_are_parts_of_their_own():
    """Realtime: each response.done is billed, and so is the transcription beside it."""
    done = [
        {
            "type": "response.done",
            "response": {"id": f"r{n}", "usage": {"input_tokens": n, "output_tokens": 1}},
        }
        for n in (5, 6)
    ]
    heard = {
        "type": "conversation.item.input_audio_transcription.completed",
        "usage": {"type": "duration", "seconds": 3},
    }
    lines = b"".join(json.dumps(event).encode() + b"\n" for event in [*done, heard])
    reading = fed({"provider": "openai", "wire": "ndjson", "model": "gpt-realtime"}, lines)
    assert sorted(sum(v for v in (p.tokens or p.units).values()) for p in reading.parts) == [
        6,
        7,
        3000,
    ]


def test_a_gemini_stream_as_one_array_is_the_same_stream():
    asked, data = STREAMS["gemini"]
    array = json.dumps(GEMINI).encode()
    assert read_response(array, provider="google") == read_response(data, **asked)
    assert fed({"provider": "google", "wire": "json"}, array) == read_response(data, **asked)


def test_grounding_is_counted_once_however_often_it_is_told():
    found = {"groundingMetadata": {"webSearchQueries": ["a", "b"]}}
    chunks = [
        GEMINI[1] | {"candidates": [found]},
        GEMINI[2] | {"candidates": [found | {"finishReason": "STOP"}]},
    ]
    reading = fed({"provider": "google"}, sse(*chunks))
    assert reading.parts[0].units == {"web_search": 2}


def test_lines_without_blank_lines_between_are_events_too():
    _, data = STREAMS["chat"]
    reading = fed({"provider": "openai"}, data.replace(b"\n\n", b"\n"))
    assert reading == read_response(data, provider="openai", wire="sse")


@pytest.mark.parametrize("wire", ["sse", "ndjson", "aws-eventstream", "json"])
@pytest.mark.parametrize(
    "data", [b"", b"\n", b"data:", b"\xff\xfe", b"[1]", b"data: [1]\n\n", b"null"]
)
def test_nothing_is_unknown(wire, data):
    reading = fed({"provider": "openai", "wire": wire}, data)
    assert reading.usage == "unknown"
    assert [part.tokens for part in reading.parts] == [None]


def test_finishing_twice_gives_one_reading():
    stream = UsageStream(provider="anthropic")
    stream.feed(sse(START, DELTA, STOP))
    assert stream.finish() is stream.finish()


def test_events_that_somebody_else_parsed_are_taken_too():
    stream = UsageStream(provider="openai", model="gpt-5")
    for event in RESPONSES:
        stream.take(event)
    assert stream.finish().parts[0].tokens == {"input_uncached": 8, "output": 2}


def test_an_event_that_tells_nothing_changes_no_figure():
    folded = Folded()
    fold(folded, {"type": "ping"})
    assert folded == Folded(begun=True)


def test_events_that_never_tell_usage_are_passed_over_and_change_nothing():
    block = b'data: {"type":"content_block_delta","delta":{"text":"\\"usage\\""}}\n\n'
    plain = sse(START, DELTA, STOP)
    start, rest = plain.split(b"\n\n", 1)
    told = fed({"provider": "anthropic"}, start + b"\n\n" + block * 3 + rest)
    assert told == fed({"provider": "anthropic"}, plain)
    crowded = (start + b"\n\n" + block * 3 + rest).replace(b"\n\n", b"\n")
    assert fed({"provider": "anthropic"}, crowded) == told


@pytest.mark.parametrize("usage", ["last", "every", ""])
@pytest.mark.parametrize("choices", [1, 2])
def test_chunks_that_only_carry_text_may_be_passed_over(usage, choices):
    """Those of compact JSON are known without being parsed; with spaces each is parsed."""
    shared = {"id": "c", "object": "chat.completion.chunk", "model": "gpt-4o", "usage": None}
    said = {"content": 'a ,"usage":{"x":1} and "finish_reason":"stop"'}
    chunks = [
        {
            **shared,
            "service_tier": "flex",
            "choices": [{"index": n % choices, "delta": said, "finish_reason": None}],
        }
        for n in range(6)
    ]
    if usage == "every":
        for number, one in enumerate(chunks):
            one["usage"] = {"prompt_tokens": 9, "completion_tokens": number}
    chunks += [
        {**shared, "choices": [{"index": n, "delta": {}, "finish_reason": "stop"}]}
        for n in range(choices)
    ]
    if usage == "last":
        told = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}
        chunks.append({**shared, "choices": [], "usage": told})

    def reading(upto, **form):
        stream = UsageStream(provider="openai", endpoint="/v1/chat/completions")
        for one in chunks[:upto]:
            stream.feed(f"data: {json.dumps(one, **form)}\n\n".encode())
        if upto is None:
            stream.feed(b"data: [DONE]\n\n")
        return stream.finish()

    for upto in (*range(1, len(chunks)), None):
        assert reading(upto, separators=(",", ":")) == reading(upto)
    assert bool(reading(None).parts[0].tokens) is bool(usage)


TEXTS = st.sampled_from(
    ["word", "", 'a "b"', "c\\", "\n\n", "data: [DONE]", '"finish_reason":"stop"']
)


def text_chunk(text, **more):
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None, **more}
    return json.dumps({**CHAT, "choices": [choice], "usage": None}, separators=(",", ":"))


ODD = [
    text_chunk("end", finish_reason="stop"),
    json.dumps({**CHAT, "choices": [], "usage": USAGE}),
    json.dumps({"error": {"type": "overloaded"}}),
    json.dumps({"type": "content_block_delta", "index": 0, "delta": {"text": "x"}}),
    json.dumps({**CHAT, "model": "gpt-4o", "choices": [{"delta": {"content": "y"}}]}),
    json.dumps(START),
    "[DONE]",
    "{broken",
]


@given(
    st.lists(TEXTS.map(text_chunk) | st.sampled_from(ODD), max_size=12),
    st.sampled_from(["\n\n", "\r\n\r\n", "\n"]),
    st.lists(st.integers(1, 60), max_size=30),
)
def test_events_that_are_alike_are_passed_over_and_change_nothing(events, gap, sizes):
    data = "".join(f"data: {one}{gap}" for one in events).encode()
    quick = UsageStream(provider="openai", endpoint="/v1/chat/completions", model="gpt-4o")
    whole = UsageStream(provider="openai", endpoint="/v1/chat/completions", model="gpt-4o")
    whole._by_event = False  # line by line
    at = 0
    for size in [*sizes, len(data)]:
        quick.feed(data[at : at + size])
        at += size
    whole.feed(data)
    assert quick.ended == whole.ended
    assert quick.finish() == whole.finish()
