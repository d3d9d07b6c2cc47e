"""Reading responses: how many a second one core reads, as JSON and as a stream of events."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from bench.figures import Figure, as_text
from tallybook.meter.usage.model import UsageReading, Wire
from tallybook.meter.usage.read import UsageStream, read_response

_SECONDS = 2.0
_CHUNK_BYTES = 1_400  # what one packet brings
_USAGE = (
    b'"usage":{"prompt_tokens":4020,"completion_tokens":4,"total_tokens":4024,'
    b'"prompt_tokens_details":{"cached_tokens":4012,"audio_tokens":0},'
    b'"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0}}}'
)
CHAT = (
    b'{"id":"chatcmpl-1","object":"chat.completion","model":"gpt-4o-2024-08-06",'
    b'"service_tier":"default","choices":[{"index":0,"message":{"role":"assistant",'
    b'"content":"OK"},"finish_reason":"stop"}],' + _USAGE
)
_DELTA = b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","model":"gpt-4o-2024-08-06","choices":[{"index":0,"delta":{"content":" word"}}],"usage":null}\n\n'  # noqa: E501 - one line on the wire
CHAT_STREAM = (
    _DELTA
    * 50
    + b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","model":"gpt-4o-2024-08-06",'
    b'"choices":[],' + _USAGE + b"\n\ndata: [DONE]\n\n"
)
MESSAGE = (
    b'{"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-4-5",'
    b'"content":[{"type":"text","text":"OK"}],"stop_reason":"end_turn","usage":{"input_tokens":3,'
    b'"cache_creation_input_tokens":418,"cache_read_input_tokens":1111,"cache_creation":'
    b'{"ephemeral_5m_input_tokens":418,"ephemeral_1h_input_tokens":0},"output_tokens":33,'
    b'"service_tier":"standard"}}'
)
_BLOCK = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" word"}}\n\n'  # noqa: E501 - as above
MESSAGE_STREAM = (
    b'event: message_start\ndata: {"type":"message_start","message":' + MESSAGE + b"}\n\n"
    + _BLOCK * 50
    + b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"},'
    b'"usage":{"output_tokens":33}}\n\n'
    b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
)  # fmt: skip


def figures(seconds: float = _SECONDS) -> Sequence[Figure]:
    """Readings per second and core of small bodies, and of streams of fifty pieces of text."""
    chat = ("openai", "/v1/chat/completions")
    messages = ("anthropic", "/v1/messages")
    rows = (
        ("read usage, OpenAI JSON", lambda: _json(CHAT, *chat), 30_000),
        ("read usage, Anthropic JSON", lambda: _json(MESSAGE, *messages), 30_000),
        ("read usage, OpenAI stream, 52 events", lambda: _sse(CHAT_STREAM, *chat), None),
        (
            "read usage, Anthropic stream of 53 events",
            lambda: _sse(MESSAGE_STREAM, *messages),
            None,
        ),
    )
    return [
        Figure(what, _per_second(read, seconds), "responses/s", least=least)
        for what, read, least in rows
    ]


def _json(body: bytes, provider: str, endpoint: str) -> UsageReading:
    return read_response(body, provider=provider, endpoint=endpoint)


def _sse(body: bytes, provider: str, endpoint: str) -> UsageReading:
    wire: Wire = "sse"
    stream = UsageStream(provider=provider, endpoint=endpoint, wire=wire)
    for start in range(0, len(body), _CHUNK_BYTES):
        stream.feed(body[start : start + _CHUNK_BYTES])
    return stream.finish()


def _per_second(read: Callable[[], UsageReading], seconds: float) -> float:
    if read().usage != "reported":
        raise AssertionError("a response of the benchmark is not read")
    done, started = 0, time.process_time()
    while (took := time.process_time() - started) < seconds:
        for _ in range(100):
            read()
        done += 100
    return done / took


if __name__ == "__main__":
    print(as_text(figures()))
