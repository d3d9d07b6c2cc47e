"""Failures of others in metering from inside the caller's process."""

from __future__ import annotations

import asyncio
import json
from itertools import product

import httpx2
import msgspec
import pytest

from sdk.bodies import chat, chat_chunks, message, message_events, response
from tallybook.meter.measure import state
from tallybook.meter.read import read_event
from tallybook.sdk.clients import async_client, client
from tallybook.sdk.hook import Hook
from tallybook.sdk.settings import Settings
from tallybook.sdk.tagging import tags

OPENAI, ANTHROPIC = "https://api.openai.com/v1", "https://api.anthropic.com/v1"
ROUTES = {
    f"{OPENAI}/chat/completions": (chat, lambda: chat_chunks(usage=True)),
    f"{ANTHROPIC}/messages": (message, message_events),
    f"{OPENAI}/responses": (
        response,
        lambda: [{"type": "response.completed", "response": response()}],
    ),
}


class Pieces(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    def __init__(self, events):
        self.pieces = [f"data: {json.dumps(event)}\n\n".encode() for event in events]
        if "choices" in events[0]:
            self.pieces.append(b"data: [DONE]\n\n")

    def __iter__(self):
        yield from self.pieces

    async def __aiter__(self):
        for piece in self.pieces:
            await asyncio.sleep(0)
            yield piece


@pytest.fixture
def hook(tmp_path):
    made = Hook(Settings(spool=tmp_path / "spool"))
    yield made
    made.close()


@pytest.fixture
def events(tmp_path):
    def found():
        return [
            msgspec.json.decode(line)
            for path in (tmp_path / "spool").iterdir()
            for line in path.read_bytes().splitlines()
        ]

    return found


def streamed(events):
    headers = {"content-type": "text/event-stream"}
    return httpx2.Response(200, headers=headers, stream=Pieces(events))


def test_a05_a_stream_is_asked_for_its_usage_and_its_caller_sees_none_of_it(hook, events):
    """BurnLens 1.27: 0 tokens, $0.0 for a stream that nobody asked for usage; Portkey shows 0.

    Here: the question is put into the request, the extra chunk is taken out of the answer, and
    120 tokens are counted. Of a provider that is not known to take the question it is unknown.
    """

    def provider(request):
        asked = json.loads(request.content).get("stream_options") == {"include_usage": True}
        return streamed(chat_chunks(usage=asked))

    with client(hook=hook, transport=httpx2.MockTransport(provider)) as http:
        for host in ("api.openai.com", "llm.internal"):
            url = f"https://{host}/v1/chat/completions"
            got = http.post(url, json={"model": "gpt-4o-mini", "stream": True}).text
            assert '"choices": []' not in got
            assert got.count("data:") == len(chat_chunks(usage=False)) + 1
    asked, unasked = sorted(events(), key=lambda event: event["started_at"])
    assert asked["tokens"] == {"input_uncached": 100, "output": 20}
    assert state(read_event(asked)) == "reported"
    assert state(read_event(unasked)) == "unknown"


@pytest.mark.parametrize(
    ("url", "whole"),
    [
        (f"{OPENAI}/chat/completions", chat_chunks(usage=True)),
        (f"{ANTHROPIC}/messages", message_events()),
    ],
)
def test_a06_a_caller_who_leaves_at_any_chunk_leaves_an_event(hook, events, url, whole):
    """LiteLLM#14457, PR 30630: "undercounts by the abort rate; only shows up when reconciling".

    Whoever closes the stream, after whichever chunk, leaves one event: aborted, with what is known
    of its input, its output unknown. None is zero, and none is missing.
    """
    transport = httpx2.MockTransport(lambda _: streamed(whole))
    last = len(whole) - 1
    for taken in range(last):
        with (
            client(hook=hook, transport=transport) as http,
            http.stream("POST", url, json={"model": "m", "stream": True}) as got,
        ):
            passing = got.iter_raw()
            for _ in range(taken):
                next(passing, None)
    left = events()
    assert len(left) == last
    for event in left:
        assert event["status"] == "client_aborted"
        assert state(read_event(event)) in ("unknown", "partial", "estimated")
        assert event.get("tokens", {}).get("output") != 0


def test_a13_tags_are_those_of_the_call_on_every_route_whoever_calls_beside_it(hook, events):
    """LiteLLM#31584, #29079: tags lost on some routes; #31441: those of the first request stay.

    Three routes, whole and streamed, twenty callers each at the same time with one key: every
    event carries the tags that its own caller put on it.
    """

    def provider(request):
        whole, parts = ROUTES[str(request.url)]
        asked = json.loads(request.content)
        return streamed(parts()) if asked["stream"] else httpx2.Response(200, json=whole())

    async def call(http, url, number, *, stream):
        with tags(team=f"team-{number}", customer=f"customer-{number}"):
            await asyncio.sleep(0)
            await http.post(
                url,
                json={"model": f"{number}", "stream": stream},
                headers={"authorization": "Bearer sk-shared"},
            )

    async def main():
        async with async_client(hook=hook, transport=httpx2.MockTransport(provider)) as http:
            every = product(ROUTES, range(20), (False, True))
            await asyncio.gather(*(call(http, url, n, stream=stream) for url, n, stream in every))

    asyncio.run(main())
    found = events()
    assert len(found) == 3 * 20 * 2
    assert {event["usage"] for event in found} == {"reported"}
    assert len({event["key_id"] for event in found}) == 1
    for event in found:
        number = event["model_requested"]
        assert (event["team"], event["customer"]) == (f"team-{number}", f"customer-{number}")


def test_a16_each_attempt_of_a_client_is_told_and_all_are_one_operation(hook, events):
    """LiteLLM#39455: 3 rows for 1 operation; PR 39294: a fallback priced at one model only.

    Two failures and an answer are three events of one operation, numbered; what failed used
    nothing, and the same request asked again later is an operation of its own.
    """
    codes = [429, 503, 200, 200]

    def provider(_request):
        code = codes.pop(0)
        return httpx2.Response(code, json=chat() if code == 200 else {"error": {}})

    with client(hook=hook, transport=httpx2.MockTransport(provider)) as http:
        for retries in ("0", "1", "2", "0"):
            headers = {"x-stainless-retry-count": retries}
            url = f"{OPENAI}/chat/completions"
            http.post(url, json={"model": "gpt-4o"}, headers=headers)
    found = sorted(events(), key=lambda event: event["started_at"])
    assert [event["attempt"] for event in found] == [1, 2, 3, 1]
    assert [event["status"] for event in found] == ["error", "error", "ok", "ok"]
    operations = [event["operation_id"] for event in found]
    assert len(set(operations[:3])) == 1
    assert operations[3] != operations[0]
    assert sum(event.get("tokens", {}).get("output", 0) for event in found) == 40
