"""A head of a known form means what it means to whoever reads it whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.test_heads import LINES, SPACES, VALUES, reply_of
from tallybook.gateway.forms import Form, Forms, pattern_of
from tallybook.gateway.heads import CHUNKED, UNTIL_CLOSE, recognised

HEAD = (
    b"HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 10:00:00 GMT\r\nContent-Type: application/json\r\n"
    b"Content-Length: 12\r\nConnection: keep-alive\r\nX-Request-Id: req_1\r\nset-cookie: a=1\r\n"
    b"Set-Cookie: b=2\r\n\r\n"
)


def forms(clock=lambda: 0.0):
    return Forms(clock)


def known(head, *others):
    """Forms that know that of a head, and of others."""
    made = forms()
    for one in (*others, head):
        made.read(one, "POST")
        made.read(one, "POST")
    return made


def same(one, other):
    assert (one.status, one.length, one.keep_alive) == (
        other.status,
        other.length,
        other.keep_alive,
    )
    assert one.raw == other.raw
    assert dict(one.named) == dict(other.named)
    assert len(one.named) == len(other.named)


def head_of(start, lines):
    text = "".join(f"{name}:{one}{value}{two}\r\n" for name, one, value, two in lines)
    return f"{start}\r\n{text}\r\n".encode("latin-1")


PLAIN_STARTS = st.sampled_from(["HTTP/1.1 200 OK", "HTTP/1.1 201", "HTTP/1.1 404 x"])


@given(PLAIN_STARTS, LINES, st.data())
def test_a_head_that_a_form_fits_is_read_as_the_whole_reader_reads_it(start, lines, data):
    first = head_of(start, lines)
    others = [(name, data.draw(SPACES), data.draw(VALUES), two) for name, _, _, two in lines]
    second = head_of(
        start, [data.draw(st.sampled_from(pair)) for pair in zip(lines, others, strict=True)]
    )
    if recognised(first, "POST") is None:
        return
    made = known(first)
    if not made._forms or made._forms[0].fits(second) is None:
        return
    whole = recognised(second, "POST")
    assert whole is not None
    same(made.read(second, "POST"), whole)


def test_the_next_answer_of_a_provider_is_known_by_its_form():
    made = known(HEAD)
    following = HEAD.replace(b"10:00:00", b"10:00:07").replace(b"req_1", b"req_29")
    following = following.replace(b"Length: 12", b"Length: 1858").replace(b"b=2", b"b=30")
    assert made._forms[0].fits(following) is not None
    reply = made.read(following, "POST")
    same(reply, reply_of(following))
    assert (reply.length, reply.is_plain) == (1858, True)
    assert reply.raw == following[:-2].replace(b"Connection: keep-alive\r\n", b"")
    assert reply.named["x-request-id"] == "req_29"
    assert reply.named.get("set-cookie") == "b=30"
    assert reply.named.get("x-none") is None
    assert "x-none" not in reply.named


@pytest.mark.parametrize(
    "other",
    [
        HEAD.replace(b"200 OK", b"400 No"),
        HEAD.replace(b"keep-alive", b"close"),
        HEAD.replace(b"application/json", b"text/event-stream"),
        HEAD.replace(b"Content-Length: 12", b"Transfer-Encoding: chunked"),
        HEAD.replace(b"X-Request-Id: req_1", b"Content-Length: 13"),
        HEAD.replace(b"X-Request-Id: req_1", b"X-Request-Id: req_1\r\nContent-Length: 13"),
        HEAD.replace(b"X-Request-Id: req_1", b"Transfer-Encoding: chunked"),
        HEAD.replace(b"req_1", b"a\r\n b"),
        HEAD.replace(b"req_1", b"a\nContent-Length: 13"),
        HEAD.replace(b"req_1", b"a\0"),
        HEAD.replace(b"Length: 12", b"Length: 12, 12"),
        HEAD.replace(b"Length: 12", b"Length: +12"),
    ],
)
def test_a_head_that_says_something_else_has_another_form(other):
    assert known(HEAD)._forms[0].fits(other) is None


def test_heads_without_a_length_or_without_a_body_and_long_ones_are_not_learnt():
    for head in (
        b"HTTP/1.1 200 OK\r\nX-A: 1\r\n\r\n",
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nX-A: %b\r\n\r\n" % (b"x" * 8192),
    ):
        assert not known(head)._forms
    made = forms()
    for _ in range(3):
        assert made.read(HEAD, "HEAD").length == 0
    assert not made._forms
    assert known(HEAD).read(HEAD, "HEAD").length == 0


def test_a_stream_and_an_answer_are_told_apart():
    stream = (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    made = known(HEAD, stream)
    for head, length, is_plain in ((HEAD, 12, True), (stream, CHUNKED, False), (HEAD, 12, True)):
        reply = made.read(head, "POST")
        assert (reply.length, reply.is_plain) == (length, is_plain)
        assert made._forms[0].fits(head) is not None
    packed = HEAD.replace(b"X-Request-Id: req_1", b"Content-Encoding: gzip")
    assert not forms().read(packed, "POST").is_plain
    assert not known(packed).read(packed, "POST").is_plain


def test_forms_beyond_those_that_are_kept_are_made_seldom():
    now_s = 100.0
    made = forms(lambda: now_s)
    heads = [HEAD.replace(b"X-Request-Id", b"X-%d" % number) for number in range(12)]
    for head in (*heads, *heads):
        same(made.read(head, "POST"), reply_of(head))
    assert len(made._forms) == 8
    assert made._forms[0].fits(heads[7]) is not None
    now_s += 11.0
    made.read(heads[11], "POST")
    made.read(heads[10], "POST")
    assert len(made._forms) == 8
    assert made._forms[0].fits(heads[11]) is not None


def test_what_a_form_is_made_of():
    form = Form(pattern_of(HEAD), HEAD, reply_of(HEAD))
    assert form.marks["set-cookie"] == b"\r\nSet-Cookie:"
    assert reply_of(b"HTTP/1.1 200 OK\r\n\r\n").length == UNTIL_CLOSE
