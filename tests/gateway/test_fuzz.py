"""Random bytes on both sides of a gateway without a network: the quick form of `fuzz/passing.py`."""

from __future__ import annotations

import json

import pytest
from fuzz.stage import Stage
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.test_heads import SMUGGLING
from sdk.bodies import chat

BODY = json.dumps(chat()).encode()
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
GOOD = ANSWER + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
PARTS = st.sampled_from(
    [
        *(b"POST ", b"GET ", b"/v1/chat/completions", b"/anthropic/v1/messages", b"/v1/models"),
        *(b" HTTP/1.1\r\n", b" HTTP/1.0\r\n", b"Host: gw\r\n", b"\r\n", b"\r\n\r\n", b"0\r\n\r\n"),
        *(b"Content-Length: 2\r\n", b"Content-Length: 30\r\n", b"Transfer-Encoding: chunked\r\n"),
        *(b"Connection: close\r\n", b"Expect: 100-continue\r\n", b"{}", b"2\r\n{}\r\n", b"1e\r\n"),
        *(b'{"model":"m","stream":true}', b"Content-Type: application/json\r\n", b"X", b"\n", b" "),
        b"Content-Type: multipart/form-data; boundary=b\r\n",
        b"Authorization: Bearer tbk_" + b"0" * 43 + b"\r\n",
    ]
)
REPLIES = st.sampled_from(
    [
        *(
            b"HTTP/1.1 200 OK\r\n",
            b"HTTP/1.1 100 Continue\r\n\r\n",
            b"HTTP/1.1 401 No\r\n",
            b"\r\n",
        ),
        *(b"Content-Length: 2\r\n", b"Content-Length: 9\r\n", b"Transfer-Encoding: chunked\r\n"),
        *(b"Content-Type: text/event-stream\r\n", b"Connection: close\r\n", b"{}", b"2\r\n{}\r\n"),
        *(
            b"0\r\n\r\n",
            b"data: {}\n\n",
            b"a\r\ndata: {}\n\n\r\n",
            b"\x00",
            b"sk-real-secret",
            b"5\r\n",
        ),
    ]
)


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    made = Stage(tmp_path_factory.mktemp("stage"))
    yield made
    made.works.journal.close()


def request(stage, body=b'{"model":"m"}', path=b"/v1/chat/completions"):
    return (
        b"POST %b HTTP/1.1\r\nHost: gw\r\nAuthorization: Bearer %b\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (path, stage.secret.encode(), len(body), body)
    )


@settings(max_examples=150, deadline=None)
@given(st.lists(PARTS | st.binary(max_size=6), max_size=24), st.integers(0, 300))
def test_whatever_a_caller_says_no_call_is_lost_and_none_is_smuggled(stage, parts, cut):
    said = b"".join(parts)
    whole = stage.played([said], [GOOD] * 4)
    assert stage.played([said[:cut], said[cut:]], [GOOD] * 4) == whole


@settings(max_examples=150, deadline=None)
@given(st.lists(PARTS | st.binary(max_size=6), max_size=12))
def test_what_follows_a_good_request_does_not_change_its_answer(stage, parts):
    heard, sent = stage.played([request(stage) + b"".join(parts)], [GOOD] * 4)
    assert heard.startswith(GOOD)
    assert BODY in heard
    assert sent


@settings(max_examples=200, deadline=None)
@given(st.lists(REPLIES | st.binary(max_size=6), max_size=12), st.booleans())
def test_whatever_a_provider_answers_the_next_caller_hears_only_its_own(stage, parts, streams):
    body = b'{"model":"m","stream":true}' if streams else b'{"model":"m"}'
    mine = b'{"model":"mine"}'
    heard, _ = stage.played([request(stage, body), request(stage, mine)], [b"".join(parts), GOOD])
    assert heard.count(BODY) <= 1
    if BODY in heard:
        assert heard.endswith(BODY)


@settings(max_examples=60, deadline=None)
@given(st.lists(REPLIES | st.binary(min_size=1, max_size=6), max_size=6), st.booleans())
def test_what_follows_an_answer_reaches_nobody(stage, parts, chunked):
    answer = GOOD
    if chunked:
        answer = ANSWER + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (
            len(BODY),
            BODY,
        )
    heard, _ = stage.played([request(stage), request(stage)], [answer + b"".join(parts), GOOD])
    assert heard == answer + GOOD


@pytest.mark.parametrize("head", SMUGGLING.values(), ids=SMUGGLING)
def test_nothing_that_could_be_read_in_two_ways_goes_on(stage, head):
    _, sent = stage.played([head + request(stage)], [GOOD] * 2)
    assert not sent
