"""Who is let in with what: keys wherever clients put them, and what goes on of a request."""

from __future__ import annotations

import pytest

from gateway.running import key
from tallybook.clock import FixedClock
from tallybook.gateway.call import Call, Ledger
from tallybook.gateway.counters import Counters
from tallybook.gateway.desk import Desk, Opening, sent_on
from tallybook.gateway.heads import RequestHead
from tallybook.gateway.journal import Journal
from tallybook.gateway.keyring import Keyring, issue
from tallybook.gateway.model import GatewayConfig, Refusal, Upstream
from tallybook.gateway.pending import Pending
from tallybook.sdk.counters import Health


def upstream(name, kind="openai", **more):
    return Upstream(
        name=name,
        kind=kind,
        host="x",
        port=1,
        tls=False,
        provider=more.pop("provider", kind),
        **more,
    )


@pytest.fixture
def desk(tmp_path):
    health = Health()
    journal = Journal(tmp_path / "spool", bound_bytes=10**6, health=health)
    clock = FixedClock(10)
    ledger = Ledger(
        journal,
        Pending(tmp_path / "pending"),
        clock=clock,
        counters=Counters(1).row(0),
        health=health,
    )
    config = GatewayConfig(
        host="",
        port=0,
        workers=1,
        spool=tmp_path / "spool",
        keys=tmp_path / "keys",
        default="openai",
        upstreams=(
            upstream("openai", stamps=("metadata",)),
            upstream("gemini", "gemini", provider="google"),
            upstream("ollama", provider="ollama", stream_usage=False),
        ),
    )
    secret = issue(config.keys, key(models=("gpt-*", "gemini-*", "llama*")))
    yield Desk(config, Keyring(config.keys), ledger, clock), secret
    journal.close()


def head(target, *lines):
    text = "\r\n".join([f"POST {target} HTTP/1.1", "Host: gw", *lines])
    return RequestHead(text.encode() + b"\r\n\r\n")


@pytest.mark.parametrize(
    "line",
    [
        "Authorization: Bearer {}",
        "authorization: {}",
        "X-Api-Key: {}",
        "api-key: {}",
        "x-goog-api-key: {}",
        "Authorization: AWS4-HMAC-SHA256 Credential={}/20261122/r/s/aws4_request, Signature=0",
    ],
)
def test_a_key_is_found_wherever_a_client_puts_it(desk, line):
    made, secret = desk
    found = made.open(head("/v1/chat/completions", line.format(secret)))
    assert isinstance(found, Opening)
    assert found.key.id == "vk"


def test_a_key_in_the_query_does_not_go_on(desk):
    made, secret = desk
    found = made.open(head(f"/gemini/v1beta/models/gemini-x:generateContent?alt=sse&key={secret}"))
    assert isinstance(found, Opening)
    assert (found.query, found.path) == ("alt=sse", "/v1beta/models/gemini-x:generateContent")


@pytest.mark.parametrize(
    ("target", "body", "strip", "sent"),
    [
        ("/v1/chat/completions", b'{"model":"gpt-4o","stream":true}', True, b"include_usage"),
        ("/v1/chat/completions", b'{"model":"gpt-4o"}', False, b"tallybook_team"),
        ("/ollama/v1/chat/completions", b'{"model":"llama3","stream":true}', False, b"llama3"),
    ],
)
def test_what_is_written_into_a_body_is_what_the_operator_chose(desk, target, body, strip, sent):
    made, secret = desk
    opening = made.open(head(target, f"Authorization: Bearer {secret}", "Content-Type: application/json"))  # fmt: skip
    assert isinstance(opening, Opening)
    call = made.begin(opening, body, whole=True)
    assert isinstance(call, Call)
    assert call.strip is strip
    assert sent in call.body
    if target.startswith("/ollama"):
        assert call.body == body


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"model":"claude"}', "model_not_allowed"),
        (b"{}", "model_not_allowed"),
        (b"[1]", "body_not_json"),
        (b'{"model":"gpt-4o"', "body_not_json"),
        (b"[" * 100_000, "body_not_json"),
    ],
)
def test_a_body_that_hides_its_model_is_refused(desk, body, code):
    made, secret = desk
    opening = made.open(head("/v1/chat/completions", f"Authorization: Bearer {secret}"))
    refusal = made.begin(opening, body, whole=True)
    assert isinstance(refusal, Refusal)
    assert refusal.code == code


def test_of_a_head_only_what_is_the_providers_goes_on():
    made = head(
        "/",
        "Connection: close, X-Hop",
        "X-Hop: 1",
        "X-TALLYBOOK-Team: a",
        "Baggage: a=b",
        "TE: trailers",
        "anthropic-version: 1",
        "Cookie: a",
    )
    assert sent_on(made) == [(b"anthropic-version", b"1")]


def raw(*lines):
    return "\r\n".join(["POST /v1/chat/completions HTTP/1.1", "Host: gw", *lines, "", ""]).encode()


def test_a_head_is_known_again_but_for_its_length(desk):
    made, secret = desk
    lines = (f"Authorization: Bearer {secret}", "X-Tallybook-User: a")
    first = raw(*lines, "Content-Length: 5", "bX: 1")
    opening = made.open(RequestHead(first))
    assert isinstance(opening, Opening)
    known = made.know(first, opening)
    assert known is not None
    again = raw(*lines, "Content-Length: 17", "bX: 1")
    assert made.known(again) == (known, 17)
    assert known.body_of(again + b"x" * 17) == b"x" * 17
    for other in (
        raw(*lines[:1], "X-Tallybook-User: ab", "Content-Length: 5", "X: 1"),
        raw(*lines, "content-length: 5", "bX: 1"),
        raw(*lines, "Content-Length:5", "bX: 1"),
        raw(*lines, "Content-Length: +5", "bX: 1"),
        raw(*lines, "Content-Length: ", "bX: 1"),
        raw(*lines, "Content-Length: 0000000000000005", "bX: 1"),
        raw(*lines, "Content-Length: 5", "Content-Length: 5", "bX: 1"),
        raw(*lines, "bX: 1"),
    ):
        assert made.known(other) is None
        assert known.body_of(other + b"x" * 5) is None
    for cut in (again, again + b"x" * 16, again + b"x" * 18, again[:-1], again[:70], b""):
        assert known.body_of(cut) is None


@pytest.mark.parametrize("ends", ["expires_us", "revoked_us"])
def test_a_head_is_unknown_once_its_key_has_ended_or_keys_changed(desk, ends):
    made, _ = desk
    secret = issue(made._config.keys, key("other", **{ends: 20}))
    made._keys.refresh()
    head_ = raw(f"Authorization: Bearer {secret}", "Content-Length: 5")
    opening = made.open(RequestHead(head_))
    assert isinstance(opening, Opening)
    known = made.know(head_, opening)
    assert known is not None
    assert known.is_good()
    made._clock.advance(10)
    assert not known.is_good()
    assert made.known(head_) is None
    made._clock = FixedClock(10)
    known = made.know(head_, opening)
    assert known is not None
    assert known.is_good()
    issue(made._config.keys, key("third"))
    made._keys.refresh()
    assert not known.is_good()
