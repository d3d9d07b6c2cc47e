"""Portkey's three records: cents, parallel arrays, retries, and the provider's own body."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foreign_records import check_bytes, check_record, events_of, records
from tallybook.errors import EventError
from tallybook.meter.measure import state
from tallybook.meter.sources.portkey import open_files, prepare

ANALYTICS = {
    "id": "550e8400-e29b-41d4-a716-446655440001",
    "created_at": "2026-08-28T10:30:45.123Z",
    "is_success": 1.0,
    "ai_org": "openai",
    "ai_model": "gpt-4",
    "req_units": 150.0,
    "res_units": 200.0,
    "total_units": 350.0,
    "cost": 1.65,
    "cost_currency": "USD",
    "request_url": "https://api.openai.com/v1/chat/completions",
    "response_status_code": 200.0,
    "response_time": 1250.0,
    "cache_status": "miss",
    "retry_success_count": "0",
    "_environment": "production",
    "_user": "john",
    "trace_id": "trace_jkl012",
    "span_id": "span_vwx234",
    "parent_span_id": "span_yz567",
    "virtual_key": "vk_mno345",
    "metadata": {"key": ["team", "Feature", "priority"], "value": ["support", "bot", "high"]},
    "workspace_slug": "main-workspace",
    "api_key_id": "pk-4",
}
BLOB = {
    "_id": "046b73bd-87da-4c0f-b716-2906d5f3f000",
    "request": {
        "url": "https://api.openai.com/v1/chat/completions",
        "method": "POST",
        "headers": {"authorization": "Bearer secret"},
        "body": {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "secret"}]},
        "portkeyHeaders": {
            "x-portkey-trace-id": "8ecf39a3",
            "x-portkey-metadata": '{"_user": "u-1", "team": "search"}',
        },
    },
    "response": {
        "status": 200,
        "headers": {"x-portkey-retry-attempt-count": "2", "x-request-id": "req_03a3"},
        "body": {
            "id": "chatcmpl-9x",
            "object": "chat.completion",
            "model": "gpt-4o-mini-2024-07-18",
            "choices": [{"message": {"content": "secret"}}],
            "usage": {
                "prompt_tokens": 1000,
                "completion_tokens": 9,
                "total_tokens": 1009,
                "prompt_tokens_details": {"cached_tokens": 400},
            },
        },
        "responseTime": 517,
    },
    "created_at": "2026-05-22T15:18:54.404Z",
}


def one(tmp_path, record):
    (reading,) = events_of(open_files, tmp_path, record)
    assert not isinstance(reading.event, EventError), reading.event
    return reading.event


def test_an_analytics_record(tmp_path):
    event = one(tmp_path, ANALYTICS)
    assert (event.source, event.event_id) == ("portkey", ANALYTICS["id"])
    assert (event.provider, event.model) == ("openai", "gpt-4")
    assert event.reported_cost.amount == "0.0165", "cents"
    assert (event.team, event.feature, event.user) == ("support", "bot", "john")
    assert (event.environment, event.key_id) == ("production", "pk-4")
    assert event.labels["priority"] == "high"
    assert event.labels["virtual_key"] == "vk_mno345"
    assert (event.trace_id, event.span_id, event.parent_span_id) == (
        *("trace_jkl012", "span_vwx234", "span_yz567"),
    )
    assert event.latency_ms == 1250


def test_sums_without_the_cache_are_an_estimate(tmp_path):
    event = one(tmp_path, ANALYTICS)
    assert event.tokens == {"input_uncached": 150, "output": 200}
    assert state(event) == "estimated"


def test_a_stream_that_shows_zero_is_unknown(tmp_path):
    event = one(tmp_path, ANALYTICS | {"req_units": 0, "res_units": 0, "cost": 0})
    assert (event.tokens, state(event), event.reported_cost) == (None, "unknown", None)


@pytest.mark.parametrize("cents", [0.0105, 1.65, 123, "7.00000000000000000001"])
def test_cents_become_dollars_exactly(tmp_path, cents):
    from decimal import Decimal  # noqa: PLC0415

    event = one(tmp_path, ANALYTICS | {"cost": cents})
    assert Decimal(event.reported_cost.amount) * 100 == Decimal(str(cents))


def test_a_log_blob_has_the_providers_own_word(tmp_path):
    event = one(tmp_path, BLOB)
    assert event.tokens["input_uncached"] == 600
    assert event.tokens["cache_read"] == 400
    assert state(event) == "reported"
    assert (event.response_id, event.request_id) == ("chatcmpl-9x", "req_03a3")
    assert (event.model, event.model_requested) == ("gpt-4o-mini-2024-07-18", "gpt-4o-mini")
    assert (event.provider, event.team, event.user) == ("openai", "search", "u-1")
    assert event.attempt == 3, "two attempts failed before it"
    assert event.labels["call_id"] == BLOB["_id"]


def test_prompts_and_keys_are_not_kept(tmp_path):
    from tallybook.meter.identity import canonical_record  # noqa: PLC0415

    (reading,) = events_of(open_files, tmp_path, BLOB)
    assert b"secret" not in canonical_record(reading.record, open_files([]).personal)


def test_an_exported_log_with_its_response(tmp_path):
    record = {
        "id": "log-1",
        "created_at": "2026-05-22T15:18:54.404Z",
        "ai_provider": "anthropic",
        "request_url": "https://api.anthropic.com/v1/messages",
        "request_tokens": 1114,
        "response_tokens": 33,
        "status_code": 200,
        "response": json.dumps(
            {
                "id": "msg_1",
                "type": "message",
                "model": "claude-sonnet-4-5",
                "usage": {
                    "input_tokens": 3,
                    "output_tokens": 33,
                    "cache_read_input_tokens": 1111,
                },
            }
        ),
        "metadata": {"team": "a"},
    }
    event = one(tmp_path, record)
    assert event.tokens["input_uncached"] == 3
    assert event.tokens["cache_read"] == 1111
    assert (event.response_id, event.team) == ("msg_1", "a")


@pytest.mark.parametrize(("prompt", "total"), [(3, 1147), (1114, 1147)])
def test_both_adapters_for_anthropic_are_read_alike(tmp_path, prompt, total):
    """One adapter leaves the cache out of prompt_tokens, another puts it in; the total tells."""
    body = {
        "id": "msg_1",
        "object": "chat.completion",
        "model": "claude-sonnet-4-5",
        "usage": {
            "prompt_tokens": prompt,
            "completion_tokens": 33,
            "total_tokens": total,
            "prompt_tokens_details": {"cached_tokens": 1111},
        },
    }
    record = {"id": "1", "created_at": "2026-05-22T15:18:54Z", "ai_org": "anthropic"}
    event = one(tmp_path, record | {"response": {"status": 200, "body": body}})
    assert event.tokens == {"input_uncached": 3, "cache_read": 1111, "output": 33}


@pytest.mark.parametrize("status", ["HIT", "SEMANTIC HIT", "hit"])
def test_a_cache_hit_is_not_billed(tmp_path, status):
    event = one(tmp_path, ANALYTICS | {"cache_status": status})
    assert (event.tokens, state(event)) == ({"input_uncached": 0, "output": 0}, "reported")


def test_an_error_without_figures_is_zero(tmp_path):
    failed = {"response_status_code": 429, "req_units": 0, "res_units": 0, "cost": 0}
    event = one(tmp_path, ANALYTICS | failed)
    assert (event.status, state(event)) == ("error", "reported")


def test_a_page_of_the_api_and_text_in_place_of_objects(tmp_path):
    (reading,) = events_of(open_files, tmp_path, {"object": "list", "data": [ANALYTICS]})
    assert reading.event.event_id == ANALYTICS["id"]
    assert prepare({"metadata": '{"team": "a"}'}) == {"metadata": {"team": "a"}}


def test_what_is_no_record_says_what_to_export(tmp_path):
    (reading,) = events_of(open_files, tmp_path, {"trace_id": "x"})
    assert "id or created_at is missing" in reading.event.what


KEYS = (*ANALYTICS, *BLOB, *BLOB["request"], *BLOB["response"], *BLOB["response"]["body"],
        *BLOB["response"]["body"]["usage"], "cached_tokens", "input_tokens", "key", "value",
        "x-portkey-metadata", "x-portkey-provider", "data", "type")  # fmt: skip


@settings(max_examples=250, deadline=None)
@given(records(KEYS, ANALYTICS) | records(KEYS, BLOB))
def test_any_record_gives_events_or_a_fault(record):
    check_record(open_files, record)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_give_events_or_a_fault(line):
    check_bytes(open_files, line)
