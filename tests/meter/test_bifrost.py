"""Bifrost's logs: usage in its own shape, retries and fallbacks, raw responses where kept."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foreign_records import check_bytes, check_record, events_of, records
from tallybook.errors import EventError
from tallybook.meter.measure import state
from tallybook.meter.sources.bifrost import open_files

USAGE = {
    "prompt_tokens": 1532,
    "prompt_tokens_details": {
        "cached_read_tokens": 1111,
        "cached_write_tokens": 418,
        "cached_write_token_details": {"cached_write_tokens_5m": 418, "cached_write_tokens_1h": 0},
        "cached_tokens": 1111,
        "cache_write_tokens": 418,
    },
    "completion_tokens": 33,
    "total_tokens": 1565,
}
ROW = {
    "id": "req-1",
    "parent_request_id": None,
    "timestamp": "2026-08-05T16:30:36.08Z",
    "object": "chat.completion",
    "provider": "anthropic",
    "model": "claude-sonnet-4-5-20250929",
    "alias": "smart",
    "number_of_retries": 0,
    "fallback_index": 0,
    "selected_key_name": "main",
    "virtual_key_id": "vk-1",
    "virtual_key_name": "search-prod",
    "team_id": "t-1",
    "team_name": "search",
    "customer_id": "c-1",
    "user_id": "u-1",
    "latency": 9575.25,
    "token_usage": json.dumps(USAGE),
    "cost": 0.0092,
    "status": "success",
    "stream": False,
    "metadata": '{"feature": "rag", "Region": "eu"}',
}


def one(tmp_path, **changes):
    (reading,) = events_of(open_files, tmp_path, ROW | changes)
    assert not isinstance(reading.event, EventError), reading.event
    return reading.event


def test_a_row(tmp_path):
    """BF#3451: $1.8598 there for $1.0638, because cached tokens were counted twice."""
    event = one(tmp_path)
    assert event.tokens == {
        "cache_read": 1111,
        "cache_write_5m": 418,
        "input_uncached": 3,
        "output": 33,
    }
    assert (event.provider, event.model_requested) == ("anthropic", "smart")
    assert (event.team, event.feature, event.customer) == ("search", "rag", "c-1")
    assert (event.user, event.key_id, event.latency_ms) == ("u-1", "search-prod", 9575)
    assert event.labels == {
        "region": "eu",
        "provider_key": "main",
        "team_id": "t-1",
        "call_id": "req-1",
    }
    assert event.reported_cost.amount == "0.0092"


def test_retries_and_fallbacks_are_attempts_of_one_operation(tmp_path):
    first = one(tmp_path, status="error", token_usage="", cost=None)
    second = one(tmp_path, id="req-2", parent_request_id="req-1", fallback_index=1,
                 number_of_retries=2, provider="openai", model="gpt-4o")  # fmt: skip
    assert first.operation_id == second.operation_id == "req-1"
    assert (first.status, state(first), second.attempt) == ("error", "reported", 4)
    assert (second.provider, second.model) == ("openai", "gpt-4o")


def test_a_raw_response_is_the_providers_own_word(tmp_path):
    raw = {
        "id": "msg_1",
        "type": "message",
        "model": "claude-sonnet-4-5-20250929",
        "usage": {
            "input_tokens": 3,
            "output_tokens": 33,
            "cache_read_input_tokens": 1111,
            "cache_creation_input_tokens": 418,
            "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 418},
        },
    }
    event = one(tmp_path, raw_response=json.dumps(raw))
    assert event.tokens["cache_write_1h"] == 418
    assert (event.response_id, event.request_id) == ("msg_1", "req-1")


def test_its_cache_is_not_billed_and_a_call_under_way_is_not_read(tmp_path):
    hit = one(tmp_path, cache_debug='{"cache_hit": true, "hit_type": "semantic"}')
    assert (hit.tokens, state(hit)) == ({"input_uncached": 0, "output": 0}, "reported")
    assert events_of(open_files, tmp_path, ROW | {"status": "processing"}) == []


@pytest.mark.parametrize("told", ["", None, "{}", '{"total_tokens": 0}', "broken"])
def test_no_figures_are_unknown(tmp_path, told):
    event = one(tmp_path, token_usage=told)
    assert (event.tokens, state(event)) == (None, "unknown")


def test_a_page_of_the_api(tmp_path):
    (reading,) = events_of(open_files, tmp_path, {"logs": [ROW], "stats": {}})
    assert reading.event.event_id == "req-1"


def test_what_is_no_row_says_what_to_export(tmp_path):
    (reading,) = events_of(open_files, tmp_path, {"id": "x"})
    assert "id or timestamp is missing" in reading.event.what


@settings(max_examples=250, deadline=None)
@given(records((*ROW, *USAGE, "raw_response", "usage", "cache_debug", "logs", "type"), ROW))
def test_any_record_gives_events_or_a_fault(record):
    check_record(open_files, record)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_give_events_or_a_fault(line):
    check_bytes(open_files, line)
