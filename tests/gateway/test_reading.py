"""Answers as they pass: nothing of ours ever stands in the way of the bytes."""

from __future__ import annotations

import gzip
import json

import pytest

from sdk.bodies import chat, chat_chunks
from tallybook.gateway.reading import Reading, wire_of
from tallybook.sdk.asked import Asked
from tallybook.sdk.counters import Health

ASKED = Asked("openai", "/v1/chat/completions", "chat", "gpt-4o", True, False, False)
SSE = {"content-type": "text/event-stream; charset=utf-8"}


def read(data, headers, *, strip=False, sizes=7):
    health = Health()
    reading = Reading(ASKED, headers, strip=strip, health=health)
    out = b"".join(reading.feed(data[at : at + sizes]) for at in range(0, len(data), sizes))
    return out + reading.rest(), reading.finish(), health.counts()


def stream(chunks, *, compact=False):
    separators = (",", ":") if compact else None
    data = "".join(f"data: {json.dumps(one, separators=separators)}\n\n" for one in chunks)
    return (data + "data: [DONE]\n\n").encode()


@pytest.mark.parametrize("compact", [True, False])
@pytest.mark.parametrize("sizes", [1, 7, 64, 100_000])
def test_what_only_we_asked_for_is_taken_out_and_nothing_else(sizes, compact):
    data = stream(chat_chunks(usage=True), compact=compact)
    out, found, _ = read(data, SSE, strip=True, sizes=sizes)
    assert out == stream(chat_chunks(usage=False), compact=compact)
    assert found.parts[0].tokens == {"input_uncached": 100, "output": 20}
    assert read(data, SSE, sizes=sizes)[0] == data


def test_text_that_looks_like_it_stays():
    text = 'say ,"usage":null and , "usage": null'
    chunk = {"choices": [{"index": 0, "delta": {"content": text}}]}
    data = stream([chunk])
    assert read(data, SSE, strip=True)[0] == data


def test_a_packed_answer_is_read_and_passed_as_it_is():
    body = gzip.compress(json.dumps(chat()).encode())
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    out, found, _ = read(body, headers)
    assert out == body
    assert found.parts[0].tokens["output"] == 20


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "application/json", "content-encoding": "gzip"},
        {"content-type": "application/json", "content-encoding": "br"},
        {"content-type": "audio/mpeg"},
    ],
)
def test_what_cannot_be_read_passes_and_is_no_figure(headers):
    data = b"\x00\x01\x02 not what it says" * 20
    out, found, counts = read(data, headers)
    assert out == data
    assert found is None
    assert counts.get("failed", 0) <= 1


def test_wires():
    assert wire_of("Text/Event-Stream; x=y") == "sse"
    assert wire_of("application/vnd.amazon.eventstream") == "aws-eventstream"
    assert wire_of("") == "json"
