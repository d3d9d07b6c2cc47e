"""BurnLens' rows: output without reasoning, and zeros that mean that nobody knows."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foreign_records import check_bytes, check_record, events_of, records
from tallybook.errors import EventError
from tallybook.meter.measure import state
from tallybook.meter.sources.burnlens import open_files

ROW = {
    "id": 1,
    "timestamp": "2026-11-21T21:03:36.363347+00:00",
    "provider": "azure",
    "model": "gpt-4o-mini",
    "requested_model": "gpt-4o-mini",
    "input_tokens": 1000,
    "output_tokens": 150,
    "reasoning_tokens": 50,
    "cache_read_tokens": 400,
    "cache_write_tokens": 0,
    "cost_usd": 0.00024,
    "status_code": 200,
    "duration_ms": 812.4,
    "tags": '{"team": "search", "feature": "rag", "cohort": "new"}',
    "event_id": "01a1ffeb-f5ab-7689-8692-d3e5dedb10f4",
    "pricing_class": "calculated",
    "team": "search",
    "feature": "rag",
    "env": "prod",
    "request_id": "chatcmpl-mock",
    "retry_of_event_id": None,
    "fallback_of_event_id": None,
}


def one(tmp_path, **changes):
    (reading,) = events_of(open_files, tmp_path, ROW | changes)
    assert not isinstance(reading.event, EventError), reading.event
    return reading.event


def test_a_row(tmp_path):
    event = one(tmp_path)
    assert (event.source, event.event_id) == ("burnlens", ROW["event_id"])
    assert event.tokens == {
        "cache_read": 400,
        "reasoning": 50,
        "input_uncached": 600,
        "output": 200,
    }
    assert (event.team, event.feature, event.cohort) == ("search", "rag", "new")
    assert (event.environment, event.latency_ms) == ("prod", 812)
    assert (event.response_id, event.request_id) == ("chatcmpl-mock", ROW["event_id"])


def test_anthropics_input_leaves_the_cache_out(tmp_path):
    event = one(tmp_path, provider="anthropic", reasoning_tokens=0, input_tokens=6)
    assert event.tokens == {"cache_read": 400, "input_uncached": 6, "output": 150}


def test_zeros_of_a_stream_are_unknown(tmp_path):
    """BurnLens 1.27 writes 0 tokens, $0.0 and `calculated` for a stream without usage."""
    zeros = dict.fromkeys(("input_tokens", "output_tokens", "reasoning_tokens"), 0)
    event = one(tmp_path, cost_usd=0.0, cache_read_tokens=0, **zeros)
    assert (event.tokens, state(event), event.reported_cost) == (None, "unknown", None)
    failed = one(tmp_path, status_code=500, cost_usd=0.0, cache_read_tokens=0, **zeros)
    assert (failed.status, state(failed)) == ("error", "reported")


def test_its_own_cache_is_not_billed(tmp_path):
    event = one(tmp_path, cache_hit=1)
    assert (event.tokens, event.response_id) == ({"input_uncached": 0, "output": 0}, None)


def test_a_retry_belongs_to_the_operation_of_the_first_call(tmp_path):
    first, again = one(tmp_path), one(tmp_path, event_id="b", retry_of_event_id=ROW["event_id"])
    assert first.operation_id == again.operation_id
    assert (first.attempt, again.attempt) == (None, 2)
    assert first.event_id != again.event_id


def test_what_is_no_row_says_what_to_export(tmp_path):
    (reading,) = events_of(open_files, tmp_path, {"id": 1})
    assert "event_id or timestamp is missing" in reading.event.what


@pytest.mark.parametrize("told", ["not json", "[]", "", None])
def test_tags_that_are_none_are_no_fault(tmp_path, told):
    assert one(tmp_path, tags=told).team == "search"


@settings(max_examples=200, deadline=None)
@given(records((*ROW, "cache_hit", "customer_hash", "total_tokens"), ROW))
def test_any_record_gives_events_or_a_fault(record):
    check_record(open_files, record)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_give_events_or_a_fault(line):
    check_bytes(open_files, line)
