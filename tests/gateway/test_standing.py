"""What is written out once for many calls is what would be written for each."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallybook.gateway.journal import BEGUN, events_of
from tallybook.gateway.standing import Standing
from tallybook.meter.usage.model import Part, UsageReading
from tallybook.sdk.asked import Asked
from tallybook.sdk.record import Attempt, Outcome

ASKED = Asked("openai", "/v1/chat/completions", "chat", "gpt-4o", False, False, True)
TEXT = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=8)
TAGS = st.dictionaries(st.sampled_from(["team", "feature", "user", "labels.a", "labels.b"]), TEXT)
COUNTS = st.dictionaries(st.sampled_from(["output", "cache_read"]), st.none() | st.integers(0, 9))
READINGS = st.builds(
    UsageReading,
    provider=st.just("openai"),
    model=st.sampled_from(["", "gpt-4o-2024-08-06"]),
    usage=st.sampled_from(["reported", "estimated", "unknown"]),
    parts=st.lists(
        st.builds(
            Part, st.sampled_from(["", "m"]), st.none() | COUNTS, st.none() | COUNTS, st.just("")
        ),
        min_size=1,
        max_size=1,
    ).map(tuple),
    response_id=st.sampled_from(["", "chatcmpl-1"]),
    request_id=st.sampled_from(["", "req_1"]),
    tier=st.sampled_from(["", "flex"]),
    region=st.sampled_from(["", "eu"]),
)
OUTCOMES = st.builds(
    Outcome,
    status=st.just("ok"),
    took_us=st.integers(0, 10**9),
    reading=READINGS,
    first_us=st.none() | st.integers(0, 10**9),
    request_id=st.sampled_from(["", "req_2"]),
)


def attempt(tags, asked=ASKED, **changes):
    plain = {
        "event_id": "e1",
        "operation_id": tags.get("operation_id") or "o1",
        "attempt": 2,
        "started_us": 1_790_000_000_123_000,
        "asked": asked,
        "tags": tags,
        "key_id": "vk",
        "trace": {"trace_id": "ab", "parent_span_id": "cd"},
    }
    return Attempt(**{**plain, **changes})


@given(TAGS, OUTCOMES, st.sampled_from(["", "us-east-1"]), st.integers(0, 10**16))
def test_an_event_is_the_one_that_any_call_gets(tags, outcome, region, started_us):
    one = attempt(tags, started_us=started_us)
    standing = Standing(ASKED, tags, "vk", one.trace, region=region)
    (event,) = events_of(one, outcome)
    if region and not event.get("region"):
        event["region"] = region
    line = standing.event(one, outcome)
    assert line is not None
    assert json.loads(line) == event


@given(TAGS, TEXT)
def test_an_intent_is_read_again_as_the_attempt(tags, operation):
    one = attempt({**tags, "operation_id": operation})
    line = Standing(ASKED, one.tags, "vk", one.trace).intent(one)
    assert line.startswith(BEGUN)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert msgspec.json.decode(line[1:], type=Attempt) == one


def test_what_is_not_plain_is_left_to_the_records():
    tags = {"team": "a"}
    one = attempt(tags)
    standing = Standing(ASKED, tags, "vk", one.trace)
    plain = UsageReading("openai", "m", "reported", (Part("m", {"output": 1}),))
    assert standing.event(one, Outcome(status="ok", took_us=1, reading=plain)) is not None
    assert standing.event(one, Outcome(status="ok", took_us=1, billed=True)) is None
    twice = UsageReading("openai", "m", "reported", plain.parts * 2)
    costs = UsageReading("openai", "m", "reported", plain.parts, reported_cost=("1", "USD"))
    named = UsageReading(
        "openai", "m", "reported", (Part("m", {"output": 1}, operation="advisor"),)
    )
    for reading in (twice, costs, named):
        assert standing.event(one, Outcome(status="ok", took_us=1, reading=reading)) is None
    for outcome in (
        Outcome(status="error", took_us=1, reading=plain),
        Outcome(status="ok", took_us=1, reading=plain, supersedes="e0"),
    ):
        assert standing.event(one, outcome) is None


@pytest.mark.parametrize(
    "change", [{"tags": {"team": "a"}}, {"asked": msgspec.structs.replace(ASKED, model="m2")}]
)
def test_a_call_that_was_changed_is_written_by_itself(change):
    tags = {"team": "a"}
    standing = Standing(ASKED, tags, "vk", {})
    plain = UsageReading("openai", "m", "reported", (Part("m", {"output": 1}),))
    outcome = Outcome(status="ok", took_us=1, reading=plain)
    assert standing.event(attempt(tags), outcome) is not None
    assert standing.event(attempt(**{"tags": tags, **change}), outcome) is None


def test_an_unknown_provider_is_named_by_its_answer():
    asked = Asked("", "/v1/chat/completions", "chat", "m", False, False, True)
    tags = {"team": "a"}
    plain = UsageReading("vllm", "m", "reported", (Part("m", {"output": 1}),))
    outcome = Outcome(status="ok", took_us=1, reading=plain)
    assert Standing(asked, tags, "vk", {}).event(attempt(tags, asked), outcome) is None
