"""Callers that misbehave: each gets an answer it can read, and nobody else's connection suffers."""

from __future__ import annotations

import json
import time

import pytest

from gateway.provider import Provider, answer
from gateway.running import Running
from gateway.test_exchange import ASKED, CHAT, request
from gateway.test_heads import SMUGGLING
from sdk.bodies import chat

BODY = json.dumps(chat()).encode()


def converse(gateway, *pieces, pause_s=0.0, wait_s=3.0):
    """Send bytes as they are; everything that comes back until the connection ends or is quiet."""
    got = b""
    with gateway.open() as caller:
        caller.settimeout(wait_s)
        try:
            for piece in pieces:
                caller.sendall(piece)
                time.sleep(pause_s)
            while more := caller.recv(65536):
                got += more
        except TimeoutError:
            got += b"<open>"
        except ConnectionError:
            got += b"<reset>"
    return got


@pytest.mark.parametrize("head", SMUGGLING.values(), ids=SMUGGLING)
def test_what_could_smuggle_a_request_is_answered_once_and_ends_the_connection(
    gateway, provider, head
):
    provider.add(CHAT, answer(BODY))
    got = converse(gateway, head + request(gateway, CHAT, ASKED), wait_s=1.0)
    assert got.count(b"x-tallybook-error: request_malformed") == 1
    assert b"200 OK" not in got
    assert 400 <= int(got.split(b" ")[1]) < 600
    assert not got.endswith(b"<open>")
    assert not provider.asked


def test_a_body_that_hides_a_request_is_a_body(gateway, provider):
    """The desynchronisation itself: what stands in a body is never read as a request."""
    hidden = b"POST /openai/v1/embeddings HTTP/1.1\r\nHost: gw\r\n\r\n"
    provider.add(CHAT, answer(BODY))
    secret = gateway.secret.encode()
    head = b"POST %b HTTP/1.1\r\nHost: gw\r\nAuthorization: Bearer %b\r\nContent-Type: application/json\r\n"
    chunked = head % (CHAT.encode(), secret) + b"Transfer-Encoding: chunked\r\n\r\n"
    body = json.dumps({**ASKED, "x": hidden.decode()}).encode()
    framed = b"%x\r\n%b\r\n0\r\nX-Trailer: %b\r\n\r\n" % (len(body), body, b"POST / HTTP/1.1")
    got = converse(
        gateway,
        chunked + framed + request(gateway, CHAT, ASKED, "Connection: close"),
    )
    assert got.count(b"HTTP/1.1 200 OK") == 2
    assert [asked.target for asked in provider.asked] == [CHAT, CHAT]
    assert provider.asked[0].body == body
    assert provider.asked[0].named("content-length") == [str(len(body))]
    assert not provider.asked[0].named("transfer-encoding")


def test_requests_sent_ahead_are_answered_in_their_order(gateway, provider):
    bodies = [json.dumps(chat(f"chatcmpl-{n}")).encode() for n in range(5)]
    provider.add(CHAT, *[answer(one) for one in bodies])
    sent = b"".join(request(gateway, CHAT, {**ASKED, "n": n}) for n in range(4))
    got = converse(gateway, sent + request(gateway, CHAT, ASKED, "Connection: close"))
    places = [got.index(f"chatcmpl-{n}".encode()) for n in range(5)]
    assert places == sorted(places)
    assert {one["response_id"] for one in gateway.settled(5)} == {f"chatcmpl-{n}" for n in range(5)}


def test_a_request_may_come_byte_by_byte(gateway, provider):
    provider.add(CHAT, answer(BODY))
    data = request(gateway, CHAT, ASKED, "Connection: close")
    got = converse(gateway, *(data[n : n + 1] for n in range(len(data))))
    assert got.endswith(BODY)


def test_the_gateway_asks_to_go_on_only_if_it_will(gateway, provider):
    provider.add(CHAT, answer(BODY))
    data = request(gateway, CHAT, ASKED, "Expect: 100-continue", "Connection: close")
    head, _, body = data.partition(b"\r\n\r\n")
    with gateway.open() as caller:
        caller.sendall(head + b"\r\n\r\n")
        assert caller.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        caller.sendall(body)
        assert caller.recv(65536).startswith(b"HTTP/1.1 200 OK")
    assert not provider.asked[0].named("expect")
    refused = converse(gateway, head.replace(b"tbk_", b"xyz_") + b"\r\n\r\n")
    assert refused.startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize("length", ["Content-Length: 2000000", "Transfer-Encoding: chunked"])
def test_a_body_that_is_too_long_is_refused_and_never_passed_on(tmp_path, provider, length):
    provider.add(CHAT, answer(BODY))
    with Running(tmp_path / "g", provider, limits={"body_mib": 1}) as gateway:
        head = f"POST {CHAT} HTTP/1.1\r\nHost: gw\r\nAuthorization: Bearer {gateway.secret}\r\n{length}\r\n\r\n"
        piece = b"10000\r\n" + b"x" * 65536 + b"\r\n" if "chunked" in length else b"x" * 65536
        got = converse(gateway, head.encode(), *[piece] * 24)
    assert got.startswith(b"HTTP/1.1 413 ")
    assert b"body_too_large" in got
    assert not provider.asked


@pytest.mark.parametrize(
    ("kind", "path", "place"),
    [
        ("openai", CHAT, ("error", "code")),
        ("azure", "/openai/deployments/d/chat/completions", ("error", "code")),
        ("anthropic", "/v1/messages", ("error", "code")),
        ("bedrock", "/model/m/converse", ("code",)),
        ("gemini", "/v1beta/models/g:generateContent", ("error", "details")),
    ],
)
@pytest.mark.parametrize(
    ("what", "status", "code"),
    [
        ("none", 401, "key_missing"),
        ("unknown", 401, "key_unknown"),
        ("expired", 401, "key_expired"),
        ("revoked", 401, "key_revoked"),
        ("elsewhere", 403, "upstream_not_allowed"),
        ("foreign", 403, "team_not_allowed"),
        ("untagged", 403, "untagged"),
        ("model", 403, "model_not_allowed"),
        ("json", 400, "body_not_json"),
        ("tags", 400, "tags_invalid"),
    ],
)
def test_refusals_have_the_providers_shape(refusing, kind, path, place, what, status, code):
    gateway, secrets, provider = refusing
    headers = {"foreign": {"x_tallybook_team": "growth"}, "tags": {"x_tallybook_team": ""}}
    body = b"{not json" if what == "json" else {**ASKED}
    told, found_headers, found = gateway.ask(
        f"/{kind}{path}",
        body,
        secret=secrets.get(what, gateway.secret),
        content_type="application/json",
        **headers.get(what, {}),
    )
    error = json.loads(found)
    assert told == status
    assert found_headers["x-tallybook-error"] == code
    value = error
    for step in place:
        value = value[step]
    assert code in json.dumps(value)
    if kind == "anthropic":
        assert error["type"] == "error"
    if kind == "bedrock":
        assert "Exception" in found_headers["x-amzn-errortype"]
    assert not provider.asked


@pytest.fixture(scope="module")
def refusing(tmp_path_factory):
    with Provider() as provider, Running(tmp_path_factory.mktemp("r") / "g", provider) as gateway:
        secrets = {
            "none": "",
            "unknown": "tbk_nobody",
            "expired": gateway.issue("expired", expires_us=1000),
            "revoked": gateway.issue("revoked", revoked_us=1000),
            "elsewhere": gateway.issue("elsewhere", upstreams=("nowhere",)),
            "untagged": gateway.issue("untagged", features=()),
            "model": gateway.issue("model", models=("cheap-*",)),
        }
        yield gateway, secrets, provider


def test_a_streamed_body_goes_on_before_it_is_whole_and_is_metered(gateway, provider):
    provider.add(
        "/v1/audio/transcriptions",
        answer(b'{"text": "hi", "usage": {"type": "duration", "seconds": 7}}'),
    )
    form = b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    body = form + b"\0" * 3_000_000 + b"\r\n--b--\r\n"
    status, _, _ = gateway.ask(
        "/v1/audio/transcriptions", body, content_type="multipart/form-data; boundary=b"
    )
    assert status == 200
    assert provider.asked[0].body == body
    (event,) = gateway.settled()
    assert (event["model"], event["units"]) == ("whisper-1", {"audio_ms": 7000})


def test_a_model_that_cannot_be_seen_in_a_form_is_refused_to_a_bound_key(gateway, provider):
    bound = gateway.issue("bound", models=("whisper-*",))
    body = b"--b\r\n" + b"\0" * 2_000_000
    status, headers, _ = gateway.ask(
        "/v1/audio/transcriptions", body, secret=bound, content_type="multipart/form-data; boundary=b"
    )  # fmt: skip
    assert (status, headers["x-tallybook-error"]) == (403, "model_not_allowed")
    assert not provider.asked


def test_a_caller_who_leaves_amid_an_upload_has_asked_for_nothing(gateway, provider):
    provider.read_whole = True
    with gateway.open() as caller:
        head = f"POST /v1/audio/transcriptions HTTP/1.1\r\nHost: gw\r\nAuthorization: Bearer {gateway.secret}\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 5000000\r\n\r\n"
        caller.sendall(head.encode() + b"--b\r\n" + b"\0" * 200_000)
        end_s = time.monotonic() + 5
        while not provider.connections and time.monotonic() < end_s:
            time.sleep(0.01)
        time.sleep(0.1)
    (event,) = gateway.settled()
    assert event["status"] == "error"
    assert "tokens" not in event


def test_a_request_that_does_not_come_is_not_waited_for(tmp_path, provider):
    with Running(tmp_path / "g", provider, limits_s={"client_s": 0.3}) as gateway:
        assert converse(gateway, b"POST / HT").startswith(b"HTTP/1.1 408 ")
        assert converse(gateway, request(gateway, CHAT, ASKED)[:-5]).startswith(b"HTTP/1.1 408 ")
        assert converse(gateway) == b""
    assert not provider.asked


def test_a_head_has_its_bounds(gateway):
    assert converse(gateway, b"GET /" + b"x" * 200_000).startswith(b"HTTP/1.1 431 ")


def test_health_readiness_and_figures(gateway, provider):
    provider.add(CHAT, answer(BODY))
    gateway.ask(CHAT, ASKED)
    assert gateway.ask("/healthz", method="GET")[0] == 200
    assert gateway.ask("/readyz", method="GET")[0] == 200
    status, headers, text = gateway.ask("/metrics", method="GET")
    assert (status, headers["content-type"]) == (200, "text/plain; version=0.0.4")
    assert b"tallybook_gateway_calls_total 1\n" in text
    assert b'tallybook_gateway_answers_total{status="2xx"} 1\n' in text
    assert gateway.ask("/elsewhere/x", method="GET", secret="")[0] == 404


def test_a_full_disk_stops_no_call_and_loses_no_event(gateway, provider):
    provider.add(CHAT, answer(BODY))
    spool = gateway.works.journal._spool
    bound, spool._bound_bytes = spool._bound_bytes, 1
    assert gateway.ask(CHAT, ASKED)[2] == BODY
    end_s = time.monotonic() + 5
    while gateway.ask("/readyz", method="GET")[0] != 503:
        assert time.monotonic() < end_s
        time.sleep(0.05)
    spool._bound_bytes = bound
    assert len(gateway.settled(1)) == 1
    assert gateway.counts()["events_delayed"] == 1


def test_an_upstream_that_is_not_named_is_told(tmp_path, provider):
    with Running(tmp_path / "g", provider, default=None) as gateway:
        status, headers, body = gateway.ask(CHAT, ASKED)
    assert (status, headers["x-tallybook-error"]) == (404, "upstream_unknown")
    assert b"/anthropic" in body


def test_a_stop_finishes_what_is_under_way(gateway, provider):
    provider.add(CHAT, [0.4, *answer(BODY)])
    with gateway.open() as caller:
        caller.sendall(request(gateway, CHAT, ASKED))
        while not provider.asked:
            time.sleep(0.005)
        gateway.stop()
        got = b""
        while more := caller.recv(65536):
            got += more
    assert got.endswith(BODY)
    assert b"Connection: close" in got
    (event,) = gateway.settled()
    assert event["status"] == "ok"
