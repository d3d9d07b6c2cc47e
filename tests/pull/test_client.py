"""Patience: what is tried again, how long it waits, and what is told at once."""

import logging
from base64 import b64encode

import pytest

from tallybook.clock import FixedClock, SystemClock
from tallybook.errors import PullError
from tallybook.pull.client import Client, GoneError, Patience
from tallybook.pull.key import Key
from tallybook.pull.model import Ask
from usage_api import openai, served

SECRET = "sk-admin-T0pSecret:sk-lf-0ther"
ASK = Ask("v1/organization/usage/completions", (("start_time", "0"), ("end_time", "86400")))
SECRETS = ("T0pSecret", "0ther", b64encode(SECRET.encode()).decode()[8:20])


@pytest.fixture
def api():
    with served(openai) as running:
        yield running


def test_an_answer_is_a_page(api, client_of):
    page = client_of(api).page(ASK)
    assert page["data"][0]["results"][0]["input_tokens"] == 10
    assert api.headers[0]["Authorization"].startswith("Bearer sk-admin-")


@pytest.mark.parametrize(
    "failure", [429, 500, 502, 503, 504, 529, 408, "cut", "half", "packed", "close"]
)
def test_what_may_come_later_is_tried_again(api, client_of, waits, failure):
    api.failures = [failure, failure]
    assert client_of(api).page(ASK)["has_more"] is False
    assert waits == [0.5, 1.0]


def test_waiting_doubles_to_a_bound_and_half_of_it_is_chance():
    assert [Patience(chance=lambda: 1.0).wait_s(n) for n in (0, 1, 6, 7, 20)] == [
        0.5,
        1,
        32,
        60,
        60,
    ]
    assert Patience(chance=lambda: 0.0).wait_s(1) == 0.5


def test_tries_are_bounded_and_the_last_does_not_wait(api, client_of, waits):
    api.failures = [500] * 9
    with pytest.raises(PullError, match="no answer in 4 tries, the last: status 500"):
        client_of(api).page(ASK)
    assert len(api.asked) == 4
    assert len(waits) == 3


def test_retry_after_in_seconds_and_as_a_date(api, client_of, waits):
    api.failures = [
        (429, {"Retry-After": "7"}),
        (503, {"Retry-After": "Sat, 10 Oct 2026 12:30:20 GMT"}),
        (429, {"Retry-After": "soon"}),
    ]
    client_of(api).page(ASK)
    assert waits == [7.0, 20.0, 2.0]


def test_a_date_that_is_over_and_a_short_wait_leave_our_own(api, client_of, waits):
    api.failures = [
        (429, {"Retry-After": "0"}),
        (429, {"Retry-After": "Sat, 10 Oct 2020 12:30:20 GMT"}),
        (429, {"Retry-After": "Sat, 10 Oct 2020 12:30:20 -0000"}),
    ]
    client_of(api).page(ASK)
    assert waits == [0.5, 1.0, 2.0]


def test_who_asks_for_an_hour_is_not_waited_for(api, client_of, waits):
    api.failures = [(429, {"Retry-After": "3600"})]
    with pytest.raises(PullError, match="asks to come back in 3600 s"):
        client_of(api).page(ASK)
    assert waits == []


@pytest.mark.parametrize("status", [400, 404, 422])
def test_what_is_refused_for_good_is_told_at_once(api, client_of, status):
    api.failures = [status]
    with pytest.raises(GoneError, match=f"refuses with status {status}"):
        client_of(api).page(ASK)
    assert len(api.asked) == 1


@pytest.mark.parametrize("status", [401, 403, 302, 400, 501])
@pytest.mark.parametrize("name", ["openai", "anthropic", "langfuse"])
def test_no_message_holds_the_key_though_the_server_repeats_it(api, client_of, status, name):
    api.failures = [status]
    with pytest.raises(PullError) as refused:
        client_of(api, name).page(ASK)
    seen = f"{refused.value} {refused.value!r} {refused.value.__dict__}"
    assert not [secret for secret in SECRETS if secret in seen]


def test_a_redirect_is_not_followed(api, client_of):
    api.failures = [(302, {"Location": "http://127.0.0.1:1/elsewhere"})]
    with pytest.raises(PullError, match="status 302"):
        client_of(api).page(ASK)
    assert len(api.asked) == 1


def test_nothing_logs_the_key(api, client_of, caplog):
    caplog.set_level(logging.DEBUG)
    api.failures = [500, 429]
    client_of(api).page(ASK)
    assert not [secret for secret in SECRETS if secret in caplog.text]


def test_a_server_that_is_not_there_is_told(key, waits):
    patience = Patience(2, waits.append, lambda: 0.0)
    client = Client("http://127.0.0.1:9", {}, key, FixedClock(0), patience)
    with pytest.raises(PullError, match="no answer in 2 tries, the last: ConnectError"):
        client.page(ASK)
    client.close()


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com",
        "ftp://x",
        "api.openai.com",
        "http://127.0.0.1.evil.com",
        "https://a:sk-admin-T0pSecret@api.openai.com",
        "https://api.openai.com?key=1",
    ],
)
def test_the_key_goes_only_to_https_or_to_this_machine(key, url):
    with pytest.raises(PullError) as refused:
        Client(url, {}, key, SystemClock())
    assert "T0pSecret" not in str(refused.value)


def test_an_answer_that_is_no_object_is_no_answer(client_of):
    told = pytest.raises(PullError, match="3 bytes that is no whole JSON object")
    with served(lambda *_: [1]) as api, told:
        client_of(api).page(ASK)


def test_the_address_may_end_with_a_slash(key):
    client = Client("https://api.openai.com/", {}, Key("x", "y"), FixedClock(0))
    assert client.base_url == "https://api.openai.com"
    client.close()
