"""Otari's events and records: whoever sends one states whether input holds cached tokens."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foreign_records import check_bytes, check_record, events_of, records
from tallybook.errors import EventError
from tallybook.meter.measure import state
from tallybook.meter.sources.otari import open_files

EVENT = {
    "source": "claude_code",
    "source_event_id": "req_01ABC",
    "timestamp": "2026-07-22T12:34:56Z",
    "provider": "anthropic",
    "model": "claude-sonnet-4-6",
    "status": "success",
    "input_tokens": 1200,
    "output_tokens": 450,
    "cache_read_tokens": 8000,
    "cache_write_tokens": 1024,
    "session_label": "project:otari",
    "user_id": "alice",
}
ROW = {
    "id": "log-1",
    "timestamp": "2026-07-22T12:34:56.5Z",
    "provider": "openai",
    "model": "gpt-4o",
    "endpoint": "/v1/chat/completions",
    "user_id": "alice",
    "api_key_id": "key-1",
    "prompt_tokens": 1000,
    "completion_tokens": 200,
    "total_tokens": 1200,
    "cache_read_tokens": 400,
    "cache_tokens_in_prompt": True,
    "cost": 0.0035,
    "status": "success",
}


def one(tmp_path, record):
    (reading,) = events_of(open_files, tmp_path, record)
    assert not isinstance(reading.event, EventError), reading.event
    return reading.event


def test_an_external_event_leaves_the_cache_out_unless_it_says_otherwise(tmp_path):
    event = one(tmp_path, EVENT | {"cache_write_1h_tokens": 24})
    assert event.event_id == "claude_code:req_01ABC"
    assert event.tokens == {
        "input_uncached": 1200,
        "cache_read": 8000,
        "cache_write": 1000,
        "cache_write_1h": 24,
        "output": 450,
    }
    assert (event.user, event.session) == ("alice", "project:otari")
    assert event.labels == {"origin": "claude_code"}
    inside = one(tmp_path, EVENT | {"input_tokens": 10224, "cache_tokens_in_prompt": True})
    assert inside.tokens["input_uncached"] == 1200


def test_a_batch_says_source_and_user_for_all(tmp_path):
    bare = {name: EVENT[name] for name in EVENT if name not in ("source", "user_id")}
    batch = {"source": "s", "user_id": "bob", "events": [bare, bare | {"user_id": "eve"}]}
    first, second = events_of(open_files, tmp_path, batch)
    assert (first.event.event_id, first.event.user) == ("s:req_01ABC", "bob")
    assert second.event.user == "eve"
    assert second.place == "rows.jsonl:2"


def test_a_field_that_otari_refuses_is_refused(tmp_path):
    (reading,) = events_of(open_files, tmp_path, EVENT | {"prompt": "hello"})
    assert "prompt is no field of an external event" in reading.event.what


def test_a_usage_record(tmp_path):
    event = one(tmp_path, ROW)
    assert event.tokens == {"input_uncached": 600, "cache_read": 400, "output": 200}
    assert (event.key_id, event.reported_cost.amount) == ("key-1", "0.0035")
    assert state(event) == "reported"


@pytest.mark.parametrize(("total", "uncached"), [(1000, 600), (1400, 1000)])
def test_the_billing_meters_tell_what_an_old_record_does_not(tmp_path, total, uncached):
    old = ROW | {"cache_tokens_in_prompt": None, "billing_meters": {"total_input_tokens": total}}
    event = one(tmp_path, old)
    assert (event.tokens["input_uncached"], state(event)) == (uncached, "reported")


def test_a_guessed_convention_is_an_estimate(tmp_path):
    old = ROW | {"cache_tokens_in_prompt": None}
    assert state(one(tmp_path, old)) == "estimated"
    assert state(one(tmp_path, old | {"cache_read_tokens": 0})) == "reported"


def test_no_figures_are_unknown_and_an_error_is_zero(tmp_path):
    nothing = ROW | {"prompt_tokens": None, "completion_tokens": None, "cost": None}
    assert state(one(tmp_path, nothing)) == "unknown"
    assert state(one(tmp_path, nothing | {"status": "error"})) == "reported"
    absent = {name: value for name, value in EVENT.items() if not name.endswith("_tokens")}
    assert state(one(tmp_path, absent)) == "unknown"


@pytest.mark.parametrize(
    ("record", "what"),
    [
        ({"hello": 1}, "neither an external event nor"),
        (EVENT | {"cache_tokens_in_prompt": "yes"}, 'cache_tokens_in_prompt is "yes"'),
        (EVENT | {"input_tokens": -1}, "input_tokens is -1"),
        (EVENT | {"source_event_id": ""}, "event_id is missing"),
    ],
)
def test_what_cannot_be_read_says_why(tmp_path, record, what):
    (reading,) = events_of(open_files, tmp_path, record)
    assert what in reading.event.what


@settings(max_examples=200, deadline=None)
@given(records((*EVENT, "events"), EVENT) | records((*ROW, "billing_meters", "data"), ROW))
def test_any_record_gives_events_or_a_fault(record):
    check_record(open_files, record)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_give_events_or_a_fault(line):
    check_bytes(open_files, line)
