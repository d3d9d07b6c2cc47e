"""What the caller gets is what the provider sent; what happened is what the spool says."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
from threading import Thread

import httpx2
import pytest

from sdk.bodies import PROMPT, REPLY, chat, chat_chunks, message_events, response
from tallybook.meter.measure import state
from tallybook.meter.read import read_event
from tallybook.sdk import call as call_module
from tallybook.sdk.clients import client, transport
from tallybook.sdk.tagging import tags
from tallybook.sdk.transport import installed, library_of

CHAT = "https://api.openai.com/v1/chat/completions"
MESSAGES = "https://api.anthropic.com/v1/messages"
RESPONSES = "https://api.openai.com/v1/responses"


def sse(events, *, done=False, named=False):
    parts = [
        (f"event: {event['type']}\n" if named else "") + f"data: {json.dumps(event)}\n\n"
        for event in events
    ]
    return [part.encode() for part in [*parts, *(["data: [DONE]\n\n"] if done else [])]]


class Pieces(httpx2.SyncByteStream):
    def __init__(self, pieces, error=None):
        self.pieces, self.error, self.closed, self.given = pieces, error, False, 0

    def __iter__(self):
        for piece in self.pieces:
            self.given += 1
            yield piece
        if self.error:
            raise self.error

    def close(self):
        self.closed = True


class AsyncPieces(httpx2.AsyncByteStream):
    def __init__(self, pieces, error=None):
        self.pieces, self.error = pieces, error

    async def __aiter__(self):
        for piece in self.pieces:
            await asyncio.sleep(0)
            yield piece
        if self.error:
            raise self.error


def streamed(pieces, **more):
    return httpx2.Response(
        200, headers={"content-type": "text/event-stream"}, stream=pieces, **more
    )


def test_a_json_answer_passes_and_is_metered(metered):
    body = json.dumps(chat()).encode()
    told = tags(team="support", feature="refund-bot", labels={"squad": "a"})
    with metered.client(lambda _: httpx2.Response(200, stream=Pieces([body]))) as http:
        with told:
            answer = http.post(
                CHAT,
                json={"model": "gpt-4o-mini", "messages": [PROMPT]},
                headers={"authorization": "Bearer sk-secret"},
            )
        assert answer.content == body
    (event,) = metered.events()
    assert event["event_id"] == "e1"
    assert (event["source"], event["provider"], event["operation"]) == ("sdk", "openai", "chat")
    assert (event["model"], event["model_requested"]) == ("gpt-4o-mini-2024-07-18", "gpt-4o-mini")
    assert event["tokens"] == {"input_uncached": 40, "cache_read": 60, "output": 20}
    assert (event["team"], event["feature"], event["labels"]) == (
        "support",
        "refund-bot",
        {"squad": "a"},
    )
    assert (event["status"], event["usage"], event["response_id"]) == (
        "ok",
        "reported",
        "chatcmpl-1",
    )
    assert event["started_at"] == "2026-10-03T10:00:00.000Z"
    assert metered.counts == {"observed": 1, "spooled": 1}


def test_what_uses_no_model_passes_unseen(metered):
    with metered.client(lambda _: httpx2.Response(200, content=b"{}")) as http:
        http.get("https://api.openai.com/v1/models")
    assert metered.events() == []
    assert metered.counts == {}


def test_the_spool_never_holds_prompt_completion_key_or_header(metered):
    def answer(request):
        if json.loads(request.content).get("stream"):
            return streamed(Pieces(sse(chat_chunks(usage=True), done=True)))
        return httpx2.Response(
            200, content=json.dumps(chat()).encode(), headers={"x-secret-header": "header-value"}
        )

    with metered.client(answer) as http:
        for stream in (False, True):
            http.post(
                CHAT,
                json={
                    "model": "gpt-4o-mini",
                    "stream": stream,
                    "user": "someone@example.com",
                    "messages": [{"role": "user", "content": PROMPT}],
                },
                headers={"authorization": "Bearer sk-secret", "openai-organization": "org-secret"},
            )
    text = "".join(path.read_text() for path in metered.folder.iterdir())
    assert text.count("\n") == 2
    for word in (*PROMPT.split(), *REPLY.split(), "sk-", "secret", "header", "someone", "Bearer"):
        if len(word) > 3:
            assert word not in text, word


def test_a_key_may_have_a_name(make_metered):
    metered = make_metered(key_name="prod-1")
    with metered.client(lambda _: httpx2.Response(200, json=chat())) as http:
        http.post(CHAT, json={}, headers={"authorization": "Bearer sk-secret"})
    assert metered.events()[0]["key_id"] == "prod-1"


def test_a_stream_is_asked_for_its_usage_and_the_caller_does_not_see_it(metered):
    asked = []

    def answer(request):
        asked.append(json.loads(request.content))
        return streamed(Pieces(sse(chat_chunks(usage=True), done=True)))

    with metered.client(answer) as http:
        body = {"model": "gpt-4o-mini", "stream": True, "messages": [PROMPT]}
        with http.stream("POST", CHAT, json=body) as got:
            passed = b"".join(got.iter_bytes())
    assert asked == [body | {"stream_options": {"include_usage": True}}]
    assert passed == b"".join(sse(chat_chunks(usage=True)[:-1], done=True))
    (event,) = metered.events()
    assert (event["tokens"], event["status"]) == ({"input_uncached": 100, "output": 20}, "ok")
    assert event["ttft_ms"] >= 0


def test_a_caller_who_asks_for_usage_gets_it(metered):
    pieces = sse(chat_chunks(usage=True), done=True)
    with metered.client(lambda _: streamed(Pieces(pieces))) as http:
        body = {"stream": True, "stream_options": {"include_usage": True}}
        assert http.post(CHAT, json=body).content == b"".join(pieces)
    assert metered.events()[0]["usage"] == "reported"


@pytest.mark.parametrize(
    ("setting", "host", "injected"),
    [
        ("known", "api.openai.com", True),
        ("known", "llm.internal", False),
        ("known", "api.test", True),
        ("always", "llm.internal", True),
        ("never", "api.openai.com", False),
    ],
)
def test_who_is_asked_for_usage_is_a_setting(make_metered, setting, host, injected):
    metered = make_metered(stream_usage=setting)

    def answer(request):
        assert ("stream_options" in json.loads(request.content)) is injected
        return streamed(Pieces(sse(chat_chunks(usage=injected), done=True)))

    with metered.client(answer) as http:
        http.post(f"https://{host}/v1/chat/completions", json={"stream": True})
    (event,) = metered.events()
    assert event["usage"] == ("reported" if injected else "unknown")
    assert event["status"] == "ok"
    assert ("tokens" in event) is injected


def test_a_stream_passes_chunk_by_chunk_and_nothing_is_held(metered):
    pieces = Pieces(sse(message_events(), named=True))
    with (
        metered.client(lambda _: streamed(pieces)) as http,
        http.stream("POST", MESSAGES, json={"stream": True}) as got,
    ):
        for number, chunk in enumerate(got.iter_raw()):
            assert chunk == pieces.pieces[number]
            assert pieces.given == number + 1
    assert pieces.closed
    assert metered.events()[0]["tokens"]["output"] == 33


def test_packed_bodies_are_read_and_pass_packed(metered):
    packed = gzip.compress(json.dumps(chat()).encode())

    def answer(request):
        assert "br" not in request.headers["accept-encoding"]
        return httpx2.Response(
            200, headers={"content-encoding": "gzip"}, stream=Pieces([packed[:20], packed[20:]])
        )

    with metered.client(answer) as http, http.stream("POST", CHAT, json={}) as got:
        assert b"".join(got.iter_raw()) == packed
    assert metered.events()[0]["usage"] == "reported"


def test_a_body_that_cannot_be_unpacked_is_unknown_and_passes(metered, caplog):
    with (
        metered.client(
            lambda _: httpx2.Response(
                200, headers={"content-encoding": "gzip"}, stream=Pieces([b"no gzip, no deflate"])
            )
        ) as http,
        http.stream("POST", CHAT, json={}) as got,
    ):
        assert b"".join(got.iter_raw()) == b"no gzip, no deflate"
    (event,) = metered.events()
    assert (event["usage"], event["status"]) == ("unknown", "ok")
    assert "reader: error" in caplog.text


@pytest.mark.parametrize("taken", range(1, 5))
def test_a_stream_that_the_caller_leaves_is_estimated(metered, taken):
    pieces = sse(message_events(), named=True)
    with (
        metered.client(lambda _: streamed(Pieces(pieces))) as http,
        http.stream("POST", MESSAGES, json={"stream": True, "model": "claude-x"}) as got,
    ):
        for _, _chunk in zip(range(taken), got.iter_raw(), strict=False):
            pass
    (event,) = metered.events()
    assert (event["status"], event["usage"]) == ("client_aborted", "estimated")
    assert event["tokens"]["input_uncached"] == 3
    assert event["tokens"].get("output") is None
    assert state(read_event(event)) == "partial"


def test_a_stream_left_after_its_last_event_is_whole(metered):
    pieces = sse(chat_chunks(usage=True), done=True)
    with (
        metered.client(lambda _: streamed(Pieces([*pieces, b": more\n\n"]))) as http,
        http.stream("POST", CHAT, json={"stream": True}) as got,
    ):
        for chunk in got.iter_raw():
            if b"[DONE]" in chunk:
                break
    (event,) = metered.events()
    assert (event["status"], event["usage"]) == ("ok", "reported")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (httpx2.ReadError("gone"), "error"),
        (httpx2.RemoteProtocolError("cut"), "error"),
        (httpx2.ReadTimeout("late"), "client_aborted"),
        (KeyboardInterrupt(), "client_aborted"),
    ],
)
def test_a_stream_that_breaks_reaches_the_caller_as_it_broke(metered, error, status):
    pieces = sse(message_events()[:3], named=True)
    with (
        metered.client(lambda _: streamed(Pieces(pieces, error))) as http,
        pytest.raises(type(error)) as raised,
        http.stream("POST", MESSAGES, json={}) as got,
    ):
        got.read()
    assert raised.value is error
    (event,) = metered.events()
    assert (event["status"], event["usage"]) == (status, "estimated")


@pytest.mark.parametrize(
    ("error", "status", "known"),
    [
        (httpx2.ConnectError("no"), "error", "reported"),
        (httpx2.PoolTimeout("no"), "error", "reported"),
        (httpx2.ReadTimeout("late"), "client_aborted", "unknown"),
        (httpx2.RemoteProtocolError("cut"), "error", "unknown"),
    ],
)
def test_a_request_without_an_answer_is_an_event(metered, error, status, known):
    def answer(_request):
        raise error

    with metered.client(answer) as http, pytest.raises(type(error)) as raised:
        http.post(CHAT, json={"model": "gpt-4o"})
    assert raised.value is error
    (event,) = metered.events()
    assert (event["status"], state(read_event(event))) == (status, known)


@pytest.mark.parametrize(
    ("code", "known"), [(400, "reported"), (529, "reported"), (504, "unknown")]
)
def test_an_error_used_nothing_unless_it_came_from_the_way(metered, code, known):
    with metered.client(
        lambda _: httpx2.Response(code, json={"error": {}}, headers={"x-request-id": "req_1"})
    ) as http:
        assert http.post(CHAT, json={"model": "gpt-4o"}).status_code == code
    (event,) = metered.events()
    assert (event["status"], state(read_event(event))) == ("error", known)
    assert event["request_id"] == "req_1"


def test_async_calls_are_metered_each_under_its_own_tags(metered):
    def answer(request):
        if request.url.path.endswith("messages"):
            return streamed(AsyncPieces(sse(message_events(), named=True)))
        return httpx2.Response(200, json=chat())

    async def one(http, number):
        with tags(team=f"team-{number}"):
            url = MESSAGES if number % 2 else CHAT
            return (await http.post(url, json={"model": str(number)})).content

    async def main():
        async with metered.async_client(answer) as http:
            return await asyncio.gather(*(one(http, number) for number in range(20)))

    contents = asyncio.run(main())
    assert contents[1] == b"".join(sse(message_events(), named=True))
    events = metered.events()
    assert sorted((event["model_requested"], event["team"]) for event in events) == sorted(
        (str(number), f"team-{number}") for number in range(20)
    )
    assert {event["usage"] for event in events} == {"reported"}


def test_an_async_call_that_is_cancelled_is_aborted(metered):
    started = asyncio.Event()

    async def answer(_request):
        started.set()
        await asyncio.sleep(3600)

    async def main():
        async with metered.async_client(answer) as http:
            task = asyncio.create_task(http.post(CHAT, json={"model": "gpt-4o"}))
            await started.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(main())
    (event,) = metered.events()
    assert (event["status"], event["usage"]) == ("client_aborted", "unknown")


def test_an_async_stream_that_is_left_is_estimated(metered):
    pieces = sse(message_events(), named=True)

    async def main():
        async with (
            metered.async_client(lambda _: streamed(AsyncPieces(pieces))) as http,
            http.stream("POST", MESSAGES, json={}) as got,
        ):
            async for _ in got.aiter_raw():
                break

    asyncio.run(main())
    (event,) = metered.events()
    assert (event["status"], event["usage"]) == ("client_aborted", "estimated")


def test_a_stream_that_breaks_under_async_is_an_error(metered):
    pieces = sse(message_events()[:2], named=True)

    async def main():
        broken = AsyncPieces(pieces, httpx2.ReadError("gone"))
        async with metered.async_client(lambda _: streamed(broken)) as http:
            with pytest.raises(httpx2.ReadError):
                await http.post(MESSAGES, json={})

    asyncio.run(main())
    assert metered.events()[0]["status"] == "error"


def test_a_reader_that_raises_harms_nobody(metered, monkeypatch, caplog):
    class Broken(call_module.UsageStream):
        def feed(self, data):
            raise RuntimeError("a prompt that nobody may keep")

    monkeypatch.setattr(call_module, "UsageStream", Broken)
    pieces = sse(chat_chunks(usage=True), done=True)
    with metered.client(lambda _: streamed(Pieces(pieces))) as http, caplog.at_level(logging.INFO):
        for _ in range(2):
            body = {"stream": True, "stream_options": {"include_usage": True}}
            assert http.post(CHAT, json=body).content == b"".join(pieces)
    assert [event["usage"] for event in metered.events()] == ["unknown"] * 2
    assert metered.counts["failed"] == 2
    assert [record.getMessage() for record in caplog.records if record.name == "tallybook.sdk"] == [
        "reader: RuntimeError; counted from now on, not told again"
    ]


def test_a_hook_that_cannot_begin_harms_nobody(metered, monkeypatch, caplog):
    def broken(*_args):
        raise RuntimeError

    monkeypatch.setattr("tallybook.sdk.hook.understood", broken)
    with metered.client(lambda _: httpx2.Response(200, json=chat())) as http:
        assert http.post(CHAT, json={}).json()["id"] == "chatcmpl-1"
    assert metered.events() == []
    assert metered.counts == {"failed": 1}


def test_a_disk_that_fails_harms_nobody(metered, tmp_path, caplog):
    (tmp_path / "file").write_text("")
    metered.hook._spool.folder = tmp_path / "file" / "spool"
    with metered.client(lambda _: httpx2.Response(200, json=chat())) as http:
        for _ in range(3):
            assert http.post(CHAT, json={}).json()["id"] == "chatcmpl-1"
    assert metered.counts == {"observed": 3, "lost": 3, "failed": 3}
    assert len([record for record in caplog.records if record.name == "tallybook.sdk"]) == 1


def test_a_body_that_is_a_stream_is_not_read_before_it_is_sent(metered):
    sent = []

    def body():
        sent.append("first")
        yield b'{"model": "gpt-4o"}'

    with metered.client(lambda _: httpx2.Response(200, json=response())) as http:
        http.post(RESPONSES, content=body())
    assert sent == ["first"]
    assert metered.events()[0]["model"] == "gpt-5-2025-08-07"


def test_a_response_in_the_background_is_booked_once_when_it_is_done(metered):
    states = ["queued", "queued", "in_progress", "completed", "completed"]

    def answer(_request):
        now = states.pop(0)
        usage = response()["usage"] if now == "completed" else None
        return httpx2.Response(200, json=response(status=now, usage=usage))

    with metered.client(answer) as http:
        http.post(RESPONSES, json={"model": "gpt-5", "background": True})
        for _ in range(4):
            http.get(f"{RESPONSES}/resp_1")
    first, second = metered.events()
    assert (first["usage"], first["labels"]) == ("unknown", {"background": "true"})
    assert second["supersedes"] == first["event_id"]
    assert second["tokens"]["output"] == 50


def test_a_response_that_is_looked_at_again_is_not_booked_again(metered):
    with metered.client(lambda _: httpx2.Response(200, json=response())) as http:
        http.post(RESPONSES, json={"model": "gpt-5"})
        http.get(f"{RESPONSES}/resp_1")
    assert len(metered.events()) == 1


def test_the_other_library_is_metered_too_and_wrapping_twice_is_wrapping_once(metered):
    inner = httpx2.MockTransport(lambda _: httpx2.Response(200, json=chat()))
    once = transport(inner, hook=metered.hook)
    assert transport(once, hook=metered.hook) is once
    assert once.inner is inner
    with client(hook=metered.hook, transport=once) as http:
        http.post(CHAT, json={})
    assert len(metered.events()) == 1
    assert (library_of(inner), library_of(object()), installed()) == ("httpx2", "", "httpx2")


def test_threads_share_a_client(metered):
    with metered.client(lambda _: httpx2.Response(200, json=chat())) as http:

        def work(number):
            with tags(team=f"t{number}"):
                for _ in range(10):
                    http.post(CHAT, json={})

        threads = [Thread(target=work, args=(number,)) for number in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    teams = [event["team"] for event in metered.events()]
    assert {team: teams.count(team) for team in teams} == {f"t{number}": 10 for number in range(5)}
