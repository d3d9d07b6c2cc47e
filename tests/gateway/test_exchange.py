"""One call through the gateway: bytes, figures, and every way in which it can end."""

from __future__ import annotations

import json
import ssl
import time
from contextlib import closing
from threading import Event

import pytest

from gateway.provider import CLOSE, HANG, Provider, answer
from gateway.running import REAL, Running
from sdk.bodies import chat, chat_chunks, message_events, response
from tallybook.gateway.framing import Body
from tallybook.gateway.heads import CHUNKED

ASKED = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]}
CHAT, MESSAGES = "/v1/chat/completions", "/v1/messages"
STREAM = {**ASKED, "stream": True}
ASKING = {**STREAM, "stream_options": {"include_usage": True}}
CLAUDE = {"model": "claude-sonnet-4-5", "max_tokens": 9, "stream": True}
TOKENS = {"input_uncached": 40, "cache_read": 60, "output": 20}


def sse(*events, done=False, named=False):
    pieces = [
        (f"event: {one['type']}\n" if named else "").encode()
        + f"data: {json.dumps(one)}\n\n".encode()
        for one in events
    ]
    return [*pieces, b"data: [DONE]\n\n"] if done else pieces


OPENAI_STREAM = sse(*chat_chunks(usage=True), done=True)
CLAUDE_STREAM = sse(*message_events(), named=True)


def test_a_call_goes_through_byte_for_byte_and_is_metered(gateway, provider):
    body = json.dumps(chat(), indent=2).encode()
    provider.add(CHAT, answer(body, x_request_id="req_9"))
    status, headers, got = gateway.ask(f"/openai{CHAT}", ASKED, openai_beta="x")
    assert (status, got, headers["x-request-id"]) == (200, body, "req_9")
    (asked,) = provider.asked
    assert json.loads(asked.body) == ASKED
    assert asked.named("authorization") == [f"Bearer {REAL}"]
    assert asked.named("openai-beta") == ["x"]
    (event,) = gateway.settled()
    assert event["tokens"] == TOKENS
    assert (event["team"], event["feature"]) == ("support", "refund-bot")
    assert (event["source"], event["key_id"], event["request_id"]) == ("gateway", "vk", "req_9")
    assert (event["status"], event["usage"], event["purpose"]) == ("ok", "reported", "production")


def test_what_is_ours_or_the_callers_alone_stays_here(gateway, provider):
    provider.add(CHAT, answer(json.dumps(chat()).encode()))
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    gateway.ask(
        CHAT,
        ASKED,
        x_tallybook_customer="c-17",
        x_tallybook_label_region="emea",
        traceparent=trace,
        tracestate="a=b",
        baggage="chargeback.cohort=free,secret=1",
        cookie="s=1",
        connection="x-hop",
        x_hop="1",
        accept_encoding="gzip",
    )
    names = {name.lower() for name, _ in provider.asked[0].headers}
    assert names == {"host", "authorization", "content-type", "content-length", "accept-encoding"}
    assert provider.asked[0].named("accept-encoding") == ["identity"]
    (event,) = gateway.settled()
    assert event["trace_id"] == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert event["parent_span_id"] == "00f067aa0ba902b7"
    assert (event["customer"], event["cohort"]) == ("c-17", "free")
    assert event["labels"] == {"region": "emea"}


def test_a_stream_that_asked_for_usage_passes_as_it_is(gateway, provider):
    provider.add(CHAT, answer(OPENAI_STREAM, "text/event-stream"))
    _, _, got = gateway.ask(CHAT, ASKING)
    assert got == b"".join(OPENAI_STREAM)
    assert json.loads(provider.asked[0].body) == ASKING
    (event,) = gateway.settled()
    assert event["tokens"] == {"input_uncached": 100, "output": 20}
    assert event["ttft_ms"] >= 0


def test_a_stream_is_asked_for_its_usage_and_its_caller_sees_none_of_it(gateway, provider):
    provider.add(CHAT, answer(OPENAI_STREAM, "text/event-stream"))
    _, _, got = gateway.ask(CHAT, STREAM)
    assert json.loads(provider.asked[0].body) == ASKING
    assert got == b"".join(sse(*chat_chunks(usage=False), done=True))
    assert gateway.settled()[0]["tokens"] == {"input_uncached": 100, "output": 20}


def test_a_stream_arrives_piece_by_piece(gateway, provider):
    first, *rest = CLAUDE_STREAM
    provider.add(MESSAGES, [*answer([first], "text/event-stream")[:2], 0.3, *answer(rest)[1:]])
    with gateway.open() as caller:
        caller.sendall(request(gateway, f"/anthropic{MESSAGES}", CLAUDE))
        begun_s, got = time.monotonic(), b""
        while first not in got:
            got += caller.recv(65536)
        assert time.monotonic() - begun_s < 0.25
        while b"message_stop" not in got:
            got += caller.recv(65536)
    assert gateway.settled()[0]["tokens"]["output"] == 33


def test_the_first_byte_of_a_stream_is_that_of_its_content(gateway, provider):
    head, first, *rest = answer(CLAUDE_STREAM, "text/event-stream")
    provider.add(MESSAGES, [head, 0.05, first, 0.05, b"".join(rest)])
    _, _, got = gateway.ask(f"/anthropic{MESSAGES}", CLAUDE)
    assert got == b"".join(CLAUDE_STREAM)
    (event,) = gateway.settled()
    assert event["ttft_ms"] <= event["latency_ms"] - 40
    assert event["tokens"]["output"] == 33


def request(gateway, path, body, *more):
    data = json.dumps(body).encode()
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: gw",
        f"Authorization: Bearer {gateway.secret}",
        "Content-Type: application/json",
        f"Content-Length: {len(data)}",
        *more,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


@pytest.mark.parametrize(
    ("upstream", "path", "body", "header"),
    [
        ("openai", "/v1/responses", {"model": "gpt-5"}, "authorization"),
        ("azure", "/openai/deployments/d/chat/completions", ASKED, "api-key"),
        ("anthropic", MESSAGES, {**CLAUDE, "stream": False}, "x-api-key"),
        ("gemini", "/v1beta/models/gemini-2.5-flash:generateContent", {}, "x-goog-api-key"),
        ("vertex", "/v1/projects/p/locations/l/publishers/google/models/g:generateContent", {}, "authorization"),
    ],
)  # fmt: skip
def test_each_kind_of_upstream_gets_its_key_where_it_looks_for_it(
    gateway, provider, upstream, path, body, header
):
    provider.add(path, answer(json.dumps(response() if upstream == "openai" else chat()).encode()))
    status, _, _ = gateway.ask(f"/{upstream}{path}?key={gateway.secret}&alt=json", body, secret="")
    (asked,) = provider.asked
    assert status == 200
    assert asked.named(header)[0].endswith(REAL)
    assert asked.target == f"{path}?alt=json"
    assert gateway.settled()[0]["provider"] in {"openai", "azure", "anthropic", "google"}


def test_bedrock_requests_are_signed_anew(gateway, provider):
    path = "/model/anthropic.claude-v1%3A0/converse"
    provider.add(
        path, answer(b'{"usage": {"inputTokens": 3, "outputTokens": 4, "totalTokens": 7}}')
    )
    signed = f"AWS4-HMAC-SHA256 Credential={gateway.secret}/20261122/us-east-1/bedrock/aws4_request, SignedHeaders=host, Signature=00"
    status, _, _ = gateway.ask(
        f"/bedrock{path}", {"messages": []}, authorization=signed, x_amz_date="20200101T000000Z"
    )
    (asked,) = provider.asked
    assert status == 200
    (told,) = asked.named("authorization")
    assert told.startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert asked.named("x-amz-security-token") == ["aws-session-token"]
    assert len(asked.named("x-amz-date")) == 1
    (event,) = gateway.settled()
    assert (event["model"], event["region"]) == ("anthropic.claude-v1:0", "us-east-1")


def leave_after(gateway, path, body, count, left=None):
    """Ask, read so many bytes of the answer's body, and hang up; ``left`` is set when that is seen."""
    before = gateway.counts().get("client_aborts", 0)
    with gateway.open() as caller:
        caller.sendall(request(gateway, path, body))
        got = b""
        while b"\r\n\r\n" not in got or len(got.partition(b"\r\n\r\n")[2]) < count:
            more = caller.recv(65536)
            assert more
            got += more
    end_s = time.monotonic() + 10
    while gateway.counts().get("client_aborts", 0) == before:
        assert time.monotonic() < end_s
        time.sleep(0.001)
    if left is not None:
        left.set()


@pytest.mark.parametrize("pieces", range(len(CLAUDE_STREAM) - 1))
def test_a_caller_who_leaves_at_any_piece_is_billed_for_the_whole(gateway, provider, pieces):
    framed, left = answer(CLAUDE_STREAM, "text/event-stream"), Event()
    provider.add(MESSAGES, [b"".join(framed[: pieces + 1]), left, *framed[pieces + 1 :]])
    sent = sum(map(len, framed[1 : pieces + 1]))
    leave_after(gateway, f"/anthropic{MESSAGES}", CLAUDE, sent, left)
    (event,) = gateway.settled()
    assert event["status"] == "client_aborted"
    assert (event["usage"], event["tokens"]["output"]) == ("reported", 33)
    assert 0 <= event["output_delivered"] < 33
    if not pieces:
        assert event["output_delivered"] == 0
    assert gateway.counts()["drained"] == 1


def test_a_caller_who_leaves_after_the_last_event_has_all_of_it(gateway, provider):
    framed, left = answer(OPENAI_STREAM, "text/event-stream"), Event()
    provider.add(CHAT, [b"".join(framed[:-1]), left, framed[-1]])
    leave_after(gateway, CHAT, ASKING, sum(map(len, framed[1:-1])), left)
    (event,) = gateway.settled()
    assert event["status"] == "ok"
    assert "output_delivered" not in event


def test_hanging_up_stops_an_upstream_that_is_configured_so(tmp_path, provider):
    framed = answer(CLAUDE_STREAM, "text/event-stream")
    provider.add(MESSAGES, [b"".join(framed[:4]), HANG])
    with Running(tmp_path / "g", provider, each={"on_abort": "cancel"}) as gateway:
        leave_after(gateway, f"/anthropic{MESSAGES}", CLAUDE, sum(map(len, framed[1:4])))
        (event,) = gateway.settled()
    assert (event["status"], event["usage"]) == ("client_aborted", "estimated")
    assert event["tokens"]["output"] is None
    assert event["tokens"]["cache_read"] == 1111


def test_a_drain_has_its_bounds(tmp_path, provider):
    framed = answer(CLAUDE_STREAM, "text/event-stream")
    provider.add(MESSAGES, [b"".join(framed[:4]), HANG])
    with Running(tmp_path / "g", provider, limits_s={"drain_s": 0.2}) as gateway:
        leave_after(gateway, f"/anthropic{MESSAGES}", CLAUDE, sum(map(len, framed[1:4])))
        (event,) = gateway.settled()
    assert (event["status"], event["usage"]) == ("client_aborted", "estimated")


def test_a_caller_who_leaves_before_any_answer_leaves_an_event(gateway, provider):
    left = Event()
    provider.add(CHAT, [left, *answer(json.dumps(chat()).encode())])
    with gateway.open() as caller:
        caller.sendall(request(gateway, CHAT, ASKED))
        while not provider.asked:
            time.sleep(0.005)
    while not gateway.counts().get("client_aborts"):
        time.sleep(0.005)
    left.set()
    (event,) = gateway.settled()
    assert (event["status"], event["tokens"], event["output_delivered"]) == (
        "client_aborted",
        TOKENS,
        0,
    )


def test_retries_are_attempts_of_one_operation(gateway, provider):
    busy = answer(b'{"error": {"message": "busy"}}', status="503 Busy")
    provider.add(CHAT, busy, busy, answer(json.dumps(chat()).encode()))
    for retry in range(3):
        gateway.ask(CHAT, ASKED, x_stainless_retry_count=str(retry))
    gateway.ask(CHAT, ASKED, x_stainless_retry_count="0")
    events = gateway.settled(4)
    assert [one["attempt"] for one in events] == [1, 2, 3, 1]
    assert [one["status"] for one in events] == ["error", "error", "ok", "ok"]
    assert len({one["operation_id"] for one in events[:3]}) == 1
    assert events[3]["operation_id"] != events[0]["operation_id"]
    assert len({one["event_id"] for one in events}) == 4


def test_the_cost_of_an_answer_stands_in_its_head_by_choice(tmp_path, provider):
    body = json.dumps(chat()).encode()
    unpriced = json.dumps({**chat(), "model": "unheard-of"}).encode()
    provider.add(CHAT, answer(body), answer([body[:50], body[50:]]), answer(unpriced))
    with Running(tmp_path / "g", provider, policy={"cost_header": True}) as gateway:
        found = [gateway.ask(CHAT, ASKED) for _ in range(3)]
    # gpt-4o-mini: 40 at 0.15, 60 cached at 0.075 and 20 at 0.60 a million
    assert [headers.get("x-tallybook-cost") for _, headers, _ in found] == [
        "0.0000225",
        "0.0000225",
        None,
    ]
    assert [got for _, _, got in found] == [body, body, unpriced]


@pytest.mark.parametrize("asked", [ASKING, STREAM])
def test_the_cost_of_a_stream_stands_behind_it_for_a_caller_that_takes_trailers(
    tmp_path, provider, asked
):
    """All other bytes are those of a caller that takes none."""
    provider.add(CHAT, answer(OPENAI_STREAM, "text/event-stream"))
    changes = {"policy": {"cost_header": True}, "openai": {"stream_usage": True}}
    with Running(tmp_path / "g", provider, **changes) as gateway:
        plain, told = (raw_answer(gateway, asked, te) for te in (b"", b"TE: trailers\r\n"))
        gateway.settled(2)
    end, trailer = b"0\r\n\r\n", b"0\r\nx-tallybook-cost: 0.000027\r\n\r\n"
    assert told[1].endswith(trailer)
    assert content(told[1].removesuffix(trailer) + end) == content(plain[1])
    assert b"x-tallybook-cost" not in b"".join(plain)
    assert told[0].replace(b"\r\nTrailer: x-tallybook-cost", b"") == plain[0]
    assert (b'"prompt_tokens"' in plain[1]) is (asked is ASKING)


def content(chunks):
    """What chunks hold: how large each is depends on how the pieces came."""
    return Body(CHUNKED).feed(chunks)[0]


def raw_answer(gateway, asked, lines):
    """The head and the body of an answer as they come."""
    data = json.dumps(asked).encode()
    head = (
        b"POST %b HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer %b\r\nConnection: close\r\n%b"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    ) % (CHAT.encode(), gateway.secret.encode(), lines, len(data))
    with closing(gateway.open()) as connection:
        connection.sendall(head + data)
        told, _, body = b"".join(iter(lambda: connection.recv(65536), b"")).partition(b"\r\n\r\n")
    return told, body


def test_a_connection_that_was_closed_while_it_was_kept_is_replaced(gateway, provider):
    body = json.dumps(chat()).encode()
    # Said to be kept, and closed as soon as the next request is there.
    provider.add(CHAT, answer(body), [CLOSE], answer(body))
    first = gateway.ask(CHAT, ASKED)[0]
    second = gateway.ask(CHAT, ASKED)[0]
    assert (first, second) == (200, 200)
    assert gateway.counts()["stale_retries"] == 1
    assert len(gateway.settled(2)) == 2


def test_connections_are_used_again(gateway, provider):
    provider.add(CHAT, answer(json.dumps(chat()).encode()))
    for _ in range(5):
        assert gateway.ask(CHAT, ASKED)[0] == 200
    assert provider.connections == 1


def test_background_work_is_billed_once_when_its_figures_appear(gateway, provider):
    queued = response(status="queued", usage=None, output=[])
    provider.add("/v1/responses", answer(json.dumps(queued).encode()))
    waiting, done = json.dumps(queued).encode(), json.dumps(response()).encode()
    provider.add("/v1/responses/resp_1", answer(waiting), answer(done), answer(done))
    asked = {"model": "gpt-5", "background": True}
    gateway.ask("/v1/responses", asked, x_tallybook_customer="c-1")
    other = gateway.issue("other", teams=("growth",), features=(), purposes=())
    for _ in range(3):
        gateway.ask("/v1/responses/resp_1", method="GET", secret=other)
    first, second = gateway.settled(2)
    assert first["usage"] == "unknown"
    assert second["supersedes"] == first["event_id"]
    assert second["tokens"]["output"] == 50
    assert (second["team"], second["customer"]) == ("support", "c-1")


def test_tls_on_both_sides(tmp_path, certificate):
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(*certificate)
    with Provider(tls=server) as provider:
        provider.add(CHAT, answer(json.dumps(chat()).encode()))
        trusted = {"ca_file": str(certificate[0])}
        tls = {"certificate": str(certificate[0]), "key": str(certificate[1])}
        with Running(tmp_path / "g", provider, each=trusted, tls=tls) as gateway:
            context = ssl.create_default_context(cafile=certificate[0])
            with (
                gateway.open() as plain,
                context.wrap_socket(plain, server_hostname="127.0.0.1") as caller,
            ):
                caller.sendall(request(gateway, CHAT, ASKED, "Connection: close"))
                got = b""
                while more := caller.recv(65536):
                    got += more
            assert got.startswith(b"HTTP/1.1 200 OK")
            assert gateway.settled()[0]["tokens"] == TOKENS
        with Running(tmp_path / "untrusting", provider) as gateway:
            assert gateway.ask(CHAT, ASKED)[0] == 502
