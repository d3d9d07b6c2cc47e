"""Failures of others in gateways that stand in the way of calls."""

from __future__ import annotations

import json
from itertools import product
from threading import Event, Thread

import pytest

from gateway.provider import Provider, answer
from gateway.running import Running
from gateway.test_exchange import CLAUDE_STREAM, MESSAGES, OPENAI_STREAM, leave_after, sse
from sdk.bodies import chat, chat_chunks, message, response
from tallybook.meter.measure import state
from tallybook.meter.read import read_event

CHAT = "/v1/chat/completions"
ASKED = {"model": "gpt-4o-mini", "messages": []}
COMPLETED = sse(
    {"type": "response.completed", "sequence_number": 1, "response": response()}, named=True
)
ROUTES = {
    ("openai", CHAT): (chat(), OPENAI_STREAM),
    ("openai", "/v1/responses"): (response(), COMPLETED),
    ("azure", "/openai/deployments/d/chat/completions"): (chat(), OPENAI_STREAM),
    ("anthropic", MESSAGES): (message(), CLAUDE_STREAM),
    ("vertex", "/v1/projects/p/locations/l/publishers/anthropic/models/c:streamRawPredict"): (
        message(),
        CLAUDE_STREAM,
    ),
}
TAGS = {"customer": "c-17", "session": "s-1", "user": "u-9"}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    folder = tmp_path_factory.mktemp("passing") / "g"
    with Provider() as provider, Running(folder, provider) as made:
        made.provider = provider
        yield made


def after(gateway, count, act):
    before = len(gateway.events())
    act()
    return gateway.settled(before + count)[before:]


@pytest.mark.parametrize("asks", [False, True])
def test_a05_a_stream_through_the_gateway_tells_its_usage_whoever_asked(gateway, asks):
    """LiteLLM PR 35290, BurnLens 1.27: a stream whose caller did not ask for usage is estimated by
    a tokenizer, or booked as 0 tokens and $0.0, `calculated`. Here it is asked for, and taken out
    again; a stream that tells none all the same is unknown."""
    gateway.provider.add(CHAT, answer(OPENAI_STREAM, "text/event-stream"))
    asked = {**ASKED, "stream": True}
    if asks:
        asked["stream_options"] = {"include_usage": True}
    got = []
    (event,) = after(gateway, 1, lambda: got.append(gateway.ask(CHAT, asked)[2]))
    assert event["tokens"] == {"input_uncached": 100, "output": 20}
    assert (b'"usage"' in got[0]) is asks
    silent = sse(*chat_chunks(usage=False), done=True)
    gateway.provider.add(CHAT, answer(silent, "text/event-stream"))
    (event,) = after(gateway, 1, lambda: gateway.ask(CHAT, asked))
    assert state(read_event(event)) == "unknown"


@pytest.mark.parametrize("pieces", range(1, len(CLAUDE_STREAM) - 1, 3))
def test_a06_a_caller_who_hangs_up_on_the_gateway_pays_what_the_provider_bills(gateway, pieces):
    """LiteLLM#14457, PR 30630, PR 36008: a call whose caller leaves is undercounted or lost, and
    shows up when the invoice comes. Here the answer is read to its end, and says what of it was
    never delivered."""
    framed, left = answer(CLAUDE_STREAM, "text/event-stream"), Event()
    gateway.provider.add(MESSAGES, [b"".join(framed[: pieces + 1]), left, *framed[pieces + 1 :]])
    asked = {"model": "claude-sonnet-4-5", "max_tokens": 9, "stream": True}
    size = sum(map(len, framed[1 : pieces + 1]))
    (event,) = after(
        gateway, 1, lambda: leave_after(gateway, f"/anthropic{MESSAGES}", asked, size, left)
    )
    assert (event["status"], event["usage"]) == ("client_aborted", "reported")
    assert event["tokens"]["output"] == 33
    assert event["output_delivered"] < 33


@pytest.mark.parametrize(
    ("route", "streams", "place"),
    list(product(ROUTES, (False, True), ("headers", "baggage", "key"))),
    ids=str,
)
def test_a13_tags_arrive_by_every_route_of_the_gateway(gateway, route, streams, place):
    """LiteLLM#31584 (/v1/responses), #29079 (Vertex), #16585, #7237: tags are lost by some routes.
    Here every route of every wire carries them, from headers, baggage or the key."""
    upstream, path = route
    body, stream = ROUTES[route]
    told = answer(stream, "text/event-stream") if streams else answer(json.dumps(body).encode())
    gateway.provider.add(path, told)
    headers = {f"x-tallybook-{name}": text for name, text in TAGS.items()}
    if place == "baggage":
        text = ",".join(f"chargeback.{name}={text}" for name, text in TAGS.items())
        headers = {"baggage": text}
    (event,) = after(
        gateway,
        1,
        lambda: gateway.ask(
            f"/{upstream}{path}",
            {"model": "m", "stream": streams},
            **(headers if place != "key" else {}),
        ),
    )
    assert (event["team"], event["feature"]) == ("support", "refund-bot")
    if place != "key":
        assert {name: event[name] for name in TAGS} == TAGS


def test_a13_customers_of_one_key_are_not_taken_for_each_other_at_once(gateway):
    """LiteLLM#31441: `end_user` is pinned to the first request on a shared key. Here each call
    carries its own, whoever calls beside it on the same key and the same connection."""
    gateway.provider.add(CHAT, answer(json.dumps(chat()).encode()))
    before = len(gateway.events())

    def ask(name):
        for number in range(6):
            gateway.ask(
                CHAT,
                {**ASKED, "user": f"{name}-{number}"},
                x_tallybook_customer=f"{name}-{number}",
                x_request=f"{name}-{number}",
            )

    threads = [Thread(target=ask, args=(f"c{n}",)) for n in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    events = gateway.settled(before + 24)[before:]
    names = sorted(f"c{n}-{number}" for n in range(4) for number in range(6))
    assert sorted(one["customer"] for one in events) == names


@pytest.mark.parametrize("tag", ["team", "feature", "purpose", "model", "upstream"])
@pytest.mark.parametrize("admits", [False, True])
def test_a14_every_level_of_a_key_must_admit_a_call(gateway, tag, admits):
    """LiteLLM#11962, #27394, #17054: one level's limit is skipped when another is set. Here a call
    must be within every scope of its key, each by itself."""
    scopes = {
        "teams": ("a",),
        "features": ("f",),
        "purposes": ("production",),
        "models": ("gpt-*",),
        "upstreams": ("openai",),
    }
    other = {"team": "teams", "model": "models", "upstream": "upstreams"}.get(tag, f"{tag}s")
    if not admits:
        scopes[other] = ("training",) if tag == "purpose" else ("nothing",)
    secret = gateway.issue(f"a14-{tag}-{admits}", **scopes)
    gateway.provider.add(CHAT, answer(json.dumps(chat()).encode()))
    asked = len(gateway.provider.asked)
    status, headers, _ = gateway.ask(
        CHAT,
        ASKED,
        secret=secret,
        x_tallybook_team="a",
        x_tallybook_feature="f",
        x_tallybook_purpose="production",
    )
    assert status == (200 if admits else 403)
    if not admits:
        assert headers["x-tallybook-error"] == f"{tag}_not_allowed"
    assert len(gateway.provider.asked) == asked + admits


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/bedrock/agents/a/sessions/s/text"),
        ("POST", "/bedrock/guardrail/g/version/1/apply"),
        ("POST", "/openai/v1/fine_tuning/jobs"),
        ("POST", "/openai/v1/videos"),
        ("POST", "/openai/v1/files/..%2fchat/completions"),
        ("POST", "/openai/v1/files/../chat/completions"),
        ("POST", "/vertex/v1/projects/p/locations/l/endpoints/e:predictLongRunning"),
        ("PUT", "/openai/v1/chat/completions"),
        ("GET", "/openai/v1/organization/costs"),
    ],
)
def test_a15_a_route_that_nobody_meters_is_no_way_around_the_bill(gateway, method, path):
    """LiteLLM#13882 (the pass-through of Bedrock ignores budgets), bifrost#2873 (pass-through
    endpoints with a virtual key): routes that nobody meters spend unseen. Here what is neither
    metered nor known to be free is refused before anything goes out."""
    asked = len(gateway.provider.asked)
    status, headers, _ = gateway.ask(path, {} if method != "GET" else None, method=method)
    assert status in (400, 404)
    assert headers["x-tallybook-error"] in ("route_not_metered", "path_ambiguous")
    assert len(gateway.provider.asked) == asked


def test_a16_each_attempt_through_the_gateway_is_told_once_and_all_are_one_operation(gateway):
    """LiteLLM#15740 (/v1/responses logged twice), #39455 (3 rows for one operation), #6633 (an
    empty id keeps only the first row). Here each attempt is one event with an id of its own."""
    path = "/v1/responses"
    busy = answer(b'{"error": {"message": "busy"}}', status="529 Overloaded")
    nameless = answer(json.dumps(response("")).encode())
    gateway.provider.add(path, busy, busy, nameless)
    asked = {"model": "gpt-5", "input": "a16"}

    def act():
        for number in range(3):
            gateway.ask(path, asked, x_stainless_retry_count=str(number))

    events = after(gateway, 3, act)
    assert [one["attempt"] for one in events] == [1, 2, 3]
    assert [one["status"] for one in events] == ["error", "error", "ok"]
    assert len({one["operation_id"] for one in events}) == 1
    assert len({one["event_id"] for one in events}) == 3
    assert [state(read_event(one)) for one in events] == ["reported"] * 3
