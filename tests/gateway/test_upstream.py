"""Providers that misbehave: each a clear error, metered as what it is, and nobody else harmed."""

from __future__ import annotations

import json
import socket
import time

import pytest

from gateway.provider import CLOSE, HANG, answer
from gateway.running import REAL, Running
from gateway.test_exchange import ASKED, CHAT, CLAUDE, CLAUDE_STREAM, MESSAGES, request
from sdk.bodies import chat
from tallybook.meter.measure import state
from tallybook.meter.read import read_event

BODY = json.dumps(chat()).encode()
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
SSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def raw(gateway, path=CHAT, body=ASKED, *more):
    """All bytes that come back until the connection ends."""
    with gateway.open() as caller:
        caller.sendall(request(gateway, path, body, *more))
        caller.settimeout(5)
        got = b""
        try:
            while piece := caller.recv(65536):
                got += piece
        except TimeoutError:
            got += b"<open>"
        except ConnectionError:
            got += b"<reset>"
        return got


def known(event):
    return state(read_event(event))


@pytest.mark.parametrize(
    ("steps", "code"),
    [
        ([b"\x00\x01garbage\r\n\r\n"], "upstream_garbage"),
        ([b"SSH-2.0-OpenSSH\r\n"], "upstream_garbage"),
        ([b"HTTP/1.1 banana\r\n\r\n"], "upstream_garbage"),
        ([HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"], "upstream_garbage"),
        ([HEAD + b"Content-Length: 5\r\nContent-Length: 7\r\n\r\nabcde"], "upstream_garbage"),
        ([b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"], "upstream_garbage"),
        ([b"HTTP/1.1 200 OK\r\nX: " + b"x" * 300_000], "upstream_garbage"),
        ([CLOSE], "upstream_cut"),
        ([b"HTTP/1.1 200 OK\r\nConte", CLOSE], "upstream_cut"),
        ([HANG], "upstream_timeout"),
    ],
)
def test_an_upstream_that_answers_no_http_is_an_error_of_unknown_usage(
    tmp_path, provider, steps, code
):
    provider.add(CHAT, steps)
    with Running(tmp_path / "g", provider, limits_s={"first_byte_s": 0.3}) as gateway:
        status, headers, body = gateway.ask(CHAT, ASKED)
        (event,) = gateway.settled()
    assert status == (504 if code == "upstream_timeout" else 502)
    assert headers["x-tallybook-error"] == code
    assert json.loads(body)["error"]["code"] == code
    assert (event["status"], known(event)) == ("error", "unknown")
    assert "tokens" not in event


@pytest.mark.parametrize(
    ("steps", "usage"),
    [
        ([HEAD + b"Content-Length: %d\r\n\r\n" % (len(BODY) + 9) + BODY, CLOSE], "reported"),
        (
            [HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(BODY) + BODY[:50], CLOSE],
            "unknown",
        ),
    ],
)
def test_an_answer_that_is_cut_never_looks_whole(gateway, provider, steps, usage):
    provider.add(CHAT, steps)
    got = raw(gateway)
    assert got.startswith(b"HTTP/1.1 200 OK")
    assert not got.endswith((b"0\r\n\r\n", b"<open>"))
    (event,) = gateway.settled()
    assert (event["status"], known(event)) == ("error", usage)


@pytest.mark.parametrize("chunks", [b"zz\r\n", b"3\r\nabcdef\r\n0\r\n\r\n", b"-1\r\n"])
def test_chunks_that_cannot_be_told_apart_are_an_error(gateway, provider, chunks):
    provider.add(CHAT, [HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks, CLOSE])
    got = raw(gateway, CHAT, ASKED, "Connection: close")
    assert got.startswith(b"HTTP/1.1 502 ")
    assert b"upstream_garbage" in got
    (event,) = gateway.settled()
    assert (event["status"], known(event)) == ("error", "unknown")


def test_what_comes_after_the_told_length_reaches_nobody(gateway, provider):
    poison = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"
    provider.add(CHAT, [HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY + poison])
    for _ in range(3):
        assert gateway.ask(CHAT, ASKED)[2] == BODY
    assert provider.connections == 3
    gateway.settled(3)


def test_what_comes_after_the_last_chunk_reaches_nobody(gateway, provider):
    poison = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"
    framed = b"".join(answer([BODY[:9], BODY[9:]]))
    provider.add(CHAT, [framed + poison])
    for _ in range(2):
        got = raw(gateway, CHAT, ASKED, "Connection: close")
        assert got.endswith(b"0\r\n\r\n")
        assert b"poison" not in got


def test_an_answer_that_nobody_asked_for_reaches_nobody(gateway, provider):
    late = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"
    provider.add(CHAT, [*answer(BODY), 0.05, late])
    assert gateway.ask(CHAT, ASKED)[2] == BODY
    time.sleep(0.15)
    assert gateway.ask(CHAT, ASKED)[2] == BODY
    assert provider.connections == 2


def test_a_stream_that_dies_says_so_in_the_providers_words(tmp_path, provider):
    framed = [b"%x\r\n%b\r\n" % (len(one), one) for one in CLAUDE_STREAM[:4]]
    provider.add(MESSAGES, [SSE, *framed, CLOSE])
    with Running(tmp_path / "g", provider) as gateway:
        got = raw(gateway, f"/anthropic{MESSAGES}", CLAUDE)
        (event,) = gateway.settled()
    assert got.endswith((b"<reset>", CLAUDE_STREAM[3] + b"\r\n"))
    assert (event["status"], event["usage"]) == ("error", "estimated")
    assert event["tokens"]["output"] is None


def test_a_stream_that_was_asked_for_its_usage_and_dies_ends_in_an_error_event(gateway, provider):
    chunk = b'data: {"id": "c", "choices": [{"index": 0, "delta": {}}]}\n\n'
    provider.add(CHAT, [SSE, b"%x\r\n%b\r\n" % (len(chunk), chunk), CLOSE])
    got = raw(gateway, CHAT, {**ASKED, "stream": True})
    assert b'"code": "upstream_cut"' in got
    assert got.rstrip(b"<reset>").endswith(b"0\r\n\r\n")
    assert gateway.settled()[0]["status"] == "error"


def test_a_stream_that_pauses_too_long_is_ended(tmp_path, provider):
    provider.add(MESSAGES, [SSE, HANG])
    with Running(tmp_path / "g", provider, limits_s={"idle_s": 0.3}) as gateway:
        got = raw(gateway, f"/anthropic{MESSAGES}", CLAUDE)
        (event,) = gateway.settled()
    assert not got.endswith(b"<open>")
    assert (event["status"], known(event)) == ("error", "unknown")


def test_a_refusal_of_the_provider_uses_nothing_and_repeats_no_key(gateway, provider):
    body = json.dumps({"error": {"message": f"Incorrect API key provided: {REAL}"}}).encode()
    provider.add(CHAT, answer(body, status="401 Unauthorized", x_request_id="req_e"))
    status, headers, got = gateway.ask(CHAT, ASKED)
    assert status == 401
    assert got == body.replace(REAL.encode(), b"[key]")
    assert headers["content-length"] == str(len(got))
    (event,) = gateway.settled()
    assert (event["status"], known(event), event["request_id"]) == ("error", "reported", "req_e")


def test_an_upstream_that_is_not_there_is_no_call(tmp_path, provider):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        with Running(tmp_path / "g", provider, openai={"url": url}) as gateway:
            status, headers, _ = gateway.ask(CHAT, ASKED)
            (event,) = gateway.settled()
    assert (status, headers["x-tallybook-error"]) == (502, "upstream_unreachable")
    assert (event["status"], known(event)) == ("error", "reported")


def test_early_hints_are_not_the_answer(gateway, provider):
    provider.add(CHAT, [b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", *answer(BODY)])
    assert gateway.ask(CHAT, ASKED)[2] == BODY


def test_an_answer_without_a_length_ends_with_its_connection(gateway, provider):
    provider.add(CHAT, [HEAD + b"\r\n" + BODY[:70], BODY[70:], CLOSE])
    status, _, got = gateway.ask(CHAT, ASKED)
    assert (status, got) == (200, BODY)
    assert gateway.settled()[0]["tokens"]["output"] == 20


def test_a_caller_of_http_1_0_gets_no_chunks(gateway, provider):
    provider.add(CHAT, answer([BODY[:9], BODY[9:]]))
    data = request(gateway, CHAT, ASKED).replace(b"HTTP/1.1", b"HTTP/1.0")
    with gateway.open() as caller:
        caller.sendall(data)
        got = b""
        while piece := caller.recv(65536):
            got += piece
    head, _, body = got.partition(b"\r\n\r\n")
    assert body == BODY
    assert b"chunked" not in head
    assert gateway.settled()[0]["status"] == "ok"


def test_a_slow_caller_holds_back_the_provider_and_gets_every_byte(gateway, provider):
    pieces = [b"data: " + bytes([65 + n % 26]) * 65_000 + b"\n\n" for n in range(120)]
    provider.add(MESSAGES, answer(pieces, "text/event-stream"))
    with gateway.open() as caller:
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        caller.sendall(request(gateway, f"/anthropic{MESSAGES}", CLAUDE, "Connection: close"))
        time.sleep(0.3)
        held = sum(
            client._transport.get_write_buffer_size() for client in list(gateway.works.clients)
        )
        assert held < 2_000_000
        got = b""
        while piece := caller.recv(1 << 20):
            got += piece
    assert got.partition(b"\r\n\r\n")[2] == b"".join(answer(pieces)[1:])
