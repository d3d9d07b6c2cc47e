"""Reading a record: what goes in, and the exact words when it does not."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallybook.books.meters import TOKEN_CLASSES
from tallybook.clock import parse_instant
from tallybook.errors import ClockError, EventError
from tallybook.meter.measure import context_tokens, state, total_tokens
from tallybook.meter.read import _us_of, read_event

FULL = {
    "event_id": "chatcmpl-abc:0", "source": "gateway", "started_at": "2026-10-03T10:00:00.123Z",
    "ended_at": "2026-10-03T10:00:02Z", "provider": "openai", "model": "gpt-4o-2024-08-06",
    "model_requested": "gpt-4o", "operation": "chat", "tier": "standard", "region": "global",
    "tokens": {"input_uncached": 8, "cache_read": 4012, "cache_write_5m": 0, "cache_write_1h": 0,
               "output": 4, "reasoning": 0},
    "supersedes": None, "units": {"web_search": 1}, "usage": "reported", "status": "ok",
    "output_delivered": 4, "team": "support", "feature": "refund-bot", "purpose": "production",
    "environment": "prod", "customer": "c-17", "cohort": "free", "plan": "pro", "user": "u-9",
    "session": "s-3", "endpoint": "/chat", "prompt_version": "refund@14", "evaluation_run": None,
    "labels": {"region": "emea"}, "trace_id": "4BF92F", "span_id": "00f067",
    "parent_span_id": None, "service": "refund-agent", "operation_id": "op-1", "attempt": 1,
    "response_id": "chatcmpl-abc", "request_id": "req_1", "key_id": "vk-support-prod",
    "latency_ms": 1877, "ttft_ms": 320, "reported_cost": {"amount": "0.0052", "currency": "USD"},
}  # fmt: skip


def test_the_published_event_is_read():
    event = read_event(FULL)
    assert event.started_us == parse_instant("2026-10-03T10:00:00.123Z")
    assert event.trace_id == "4bf92f"
    assert (state(event), context_tokens(event), total_tokens(event)) == ("reported", 4020, 4024)


def test_a_trace_id_that_is_no_hex_is_kept(record):
    assert read_event(record(trace_id="Run-7")).trace_id == "Run-7"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"tokens": {"output": -4}}, "tokens.output is -4; a count is a whole number of 0 or more"),
        ({"tokens": {"output": Decimal("4.5")}}, "tokens.output is 4.5; a count is a whole"),
        ({"tokens": {"output": True}}, "tokens.output is true; a count is a whole"),
        ({"tokens": {"output": "4"}}, 'tokens.output is "4"; a count is a whole'),
        ({"tokens": {"output": 2**63}}, "tokens.output is 9223372036854775808; a count is"),
        ({"tokens": {"prompt": 4}}, "tokens.prompt is no token class of list 1; the classes are"),
        ({"tokens": {"output": 4, "reasoning": 5}}, "tokens.reasoning is 5, more than"),
        ({"tokens": {"reasoning": 5}}, "tokens.reasoning is 5, more than tokens.output, 0"),
        ({"tokens": {"output": 2**63 - 1, "input_uncached": 1}}, "tokens add up to 92233"),
        ({"tokens": [4]}, "tokens is [4]; it is an object"),
        ({"units": {"web_search": Decimal("0.5")}}, "units.web_search is 0.5; a count"),
        ({"labels": {"a": 1}}, "labels.a is 1; it is text"),
        ({"attempt": 0}, "attempt is 0; it is a whole number of 1 or more"),
        ({"latency_ms": -1}, "latency_ms is -1; a count"),
        ({"usage": "guessed"}, 'usage is "guessed"; it is one of reported, estimated, unknown'),
        ({"status": "fail"}, 'status is "fail"; it is one of ok, error, client_aborted'),
        ({"purpose": "fun"}, 'purpose is "fun"; it is one of production, evaluation'),
        ({"team": 7}, "team is 7; it is text"),
        ({"model": ""}, "model is missing; an event needs event_id, source, started_at"),
        ({"provider": None}, "provider is missing"),
        ({"started_at": None}, "started_at is missing"),
        ({"started_at": 1_790_000_000}, "started_at is 1790000000; an instant is text"),
        ({"started_at": "2026-10-03T10:00:00"}, "has no zone"),
        ({"started_at": "yesterday"}, "is not an instant"),
        ({"started_at": "1969-12-31T23:59:59Z"}, "outside the years 1970"),
        ({"ended_at": "2026-10-03T10:00:00Z"}, "123000 microseconds before started_at"),
        ({"supersedes": "e-1"}, 'event "e-1" supersedes itself'),
        ({"supersedes": ""}, "supersedes is empty"),
        ({"colour": "red"}, "colour is not a field of a usage event"),
        ({"started_us": 1}, "started_us is not a field of a usage event"),
        ({"source": "a\0b"}, "NUL"),
        ({"reported_cost": {"amount": Decimal("0.1"), "currency": "USD"}}, "money is text"),
        ({"reported_cost": {"amount": "-0.1", "currency": "USD"}}, 'amount is "-0.1"'),
        ({"reported_cost": {"amount": "0.1", "currency": "usd"}}, 'currency is "usd"'),
        ({"reported_cost": {"amount": "0.1"}}, "reported_cost is"),
        ({"reported_cost": "0.1"}, "reported_cost is"),
    ],
)
def test_a_fault_is_named_with_its_figure(record, changes, words):
    with pytest.raises(EventError) as refused:
        read_event(record(**changes))
    assert words in refused.value.what


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"tokens": None}, "unknown"),
        ({"tokens": {}}, "unknown"),
        ({"tokens": None, "usage": "reported"}, "unknown"),
        ({"tokens": None, "usage": "estimated"}, "unknown"),
        ({"tokens": None, "status": "error"}, "reported"),
        ({"tokens": None, "status": "error", "usage": "unknown"}, "unknown"),
        ({"tokens": None, "status": "client_aborted"}, "unknown"),
        ({"tokens": None, "units": {"images": 2}}, "reported"),
        ({"tokens": {"input_uncached": 7, "output": None}}, "partial"),
        ({"tokens": {"input_uncached": 7, "output": None}, "usage": "estimated"}, "partial"),
        ({"tokens": {"output": None}}, "unknown"),
        ({"usage": "estimated"}, "estimated"),
        ({"usage": "unknown"}, "unknown"),
        ({"tokens": {"output": 0}}, "reported"),
    ],
)
def test_unknown_is_not_zero(record, changes, expected):
    assert state(read_event(record(**changes))) == expected


@given(st.dictionaries(st.sampled_from(TOKEN_CLASSES), st.integers(0, 2**59)))
def test_the_total_is_the_sum_of_the_disjoint_classes(tokens):
    event = read_event({**FULL, "tokens": tokens})
    assert total_tokens(event) == sum(tokens.values())


@given(
    st.from_regex(
        r"20[0-9]{2}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-6][0-9](:[0-6][0-9](\.[0-9]{1,9})?)?[Zz+]?",
        fullmatch=True,
    )
)
def test_the_short_way_to_an_instant_says_what_the_clock_says(text):
    try:
        expected = parse_instant(text)
    except ClockError:
        with pytest.raises(ClockError):
            _us_of(text, None)
    else:
        assert _us_of(text, None) == expected
