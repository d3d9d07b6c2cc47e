"""Retries are attempts of one operation; what is asked anew is another."""

from __future__ import annotations

import contextvars

import httpx2

from sdk.bodies import chat
from tallybook.sdk import attempts
from tallybook.sdk.attempts import Ordinal, ordinal
from tallybook.sdk.tagging import tags

CHAT = "https://api.openai.com/v1/chat/completions"


def alone(act):
    return contextvars.Context().run(act)


def test_what_follows_nothing_is_a_first_attempt():
    assert alone(lambda: ordinal("e1", "", "POST u", b"b")) == Ordinal("e1", 1)
    assert alone(lambda: ordinal("e1", "2", "POST u", b"b")) == Ordinal("e1", 3)
    assert alone(lambda: ordinal("e1", "many", "POST u", b"b")) == Ordinal("e1", 1)


def test_the_same_request_after_a_failure_is_its_retry():
    def run():
        first = ordinal("e1", "0", "POST u", b"b")
        attempts.failed(first, "POST u", b"b")
        second = ordinal("e2", "1", "POST u", b"b")
        attempts.failed(second, "POST u", b"b")
        again = ordinal("e3", "", "POST u", b"b")
        by_hand = ordinal("e6", "0", "POST u", b"b")
        other = ordinal("e4", "0", "POST u", b"c")
        attempts.succeeded()
        anew = ordinal("e5", "0", "POST u", b"b")
        return first, second, again, by_hand, other, anew

    assert alone(run) == (
        Ordinal("e1", 1),
        Ordinal("e1", 2),
        Ordinal("e1", 3),
        Ordinal("e6", 1),
        Ordinal("e4", 1),
        Ordinal("e5", 1),
    )


def test_attempts_through_a_client(metered):
    codes = [429, 500, 200, 200]

    def answer(_request):
        code = codes.pop(0)
        return httpx2.Response(code, json=chat() if code == 200 else {"error": {}})

    with metered.client(answer) as http:
        for _ in range(4):
            http.post(CHAT, json={"model": "gpt-4o"})
        codes.append(200)
        with tags(operation_id="mine"):
            http.post(CHAT, json={"model": "gpt-4o"})
    assert [
        (event["operation_id"], event["attempt"], event["status"]) for event in metered.events()
    ] == [
        ("e1", 1, "error"),
        ("e1", 2, "error"),
        ("e1", 3, "ok"),
        ("e4", 1, "ok"),
        ("mine", 1, "ok"),
    ]
