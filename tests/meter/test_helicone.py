"""Helicone's requests: properties as tags, the provider's own counts, and a table that lacks much."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foreign_records import check_bytes, check_record, events_of, records
from tallybook.errors import EventError
from tallybook.meter.identity import canonical_record
from tallybook.meter.measure import state
from tallybook.meter.sources.helicone import COLUMNS, open_files, translate_row

REQUEST = {
    "response_id": "6f0c3c1e-0000-4000-8000-000000000001",
    "response_created_at": "2026-10-01T10:00:02.100Z",
    "response_status": 200,
    "response_model": "gpt-4o-mini-2024-07-18",
    "request_id": "0b9f3c1e-0000-4000-8000-000000000001",
    "request_created_at": "2026-10-01T10:00:00.000Z",
    "request_path": "https://api.openai.com/v1/chat/completions",
    "request_user_id": "u1",
    "request_properties": {"Team": "search", "feature": "rag", "Helicone-Session-Id": "s-1"},
    "request_model": "gpt-4o-mini",
    "provider": "OPENAI",
    "delay_ms": 2100,
    "time_to_first_token": None,
    "total_tokens": 1200,
    "prompt_tokens": 1000,
    "completion_tokens": 200,
    "prompt_cache_read_tokens": 400,
    "prompt_cache_write_tokens": 0,
    "cost": 0.00024,
    "properties": {"Team": "search", "Region": "eu"},
    "target_url": "https://api.openai.com/v1/chat/completions",
    "model": "gpt-4o-mini",
    "cache_enabled": False,
}


def one(tmp_path, **changes):
    (reading,) = events_of(open_files, tmp_path, REQUEST | changes)
    assert not isinstance(reading.event, EventError), reading.event
    return reading.event


def test_a_request(tmp_path):
    event = one(tmp_path)
    assert (event.source, event.event_id) == ("helicone", REQUEST["request_id"])
    assert event.tokens == {"input_uncached": 600, "cache_read": 400, "output": 200}
    assert (event.model, event.model_requested) == ("gpt-4o-mini-2024-07-18", "gpt-4o-mini")
    assert (event.team, event.feature, event.session) == ("search", "rag", "s-1")
    assert (event.user, event.labels["region"]) == ("u1", "eu")
    assert event.reported_cost.amount == "0.00024"
    assert event.response_id is None, "response_id is Helicone's own"
    assert (event.latency_ms, event.ended_us - event.started_us) == (2100, 2_100_000)


def test_anthropics_input_leaves_the_cache_out(tmp_path):
    columns = {"prompt_tokens": 3, "prompt_cache_read_tokens": 1111}
    event = one(tmp_path, provider="ANTHROPIC", **columns)
    assert event.tokens == {"cache_read": 1111, "input_uncached": 3, "output": 200}


def test_the_response_is_read_where_it_was_exported(tmp_path):
    body = {
        "id": "msg_1",
        "type": "message",
        "model": "claude-sonnet-4-5",
        "usage": {
            "input_tokens": 3,
            "output_tokens": 33,
            "cache_read_input_tokens": 1111,
            "cache_creation_input_tokens": 418,
            "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 418},
        },
    }
    event = one(tmp_path, provider="ANTHROPIC", response_body=json.dumps(body))
    assert event.tokens["cache_write_1h"] == 418
    assert (event.response_id, event.request_id) == ("msg_1", REQUEST["request_id"])


def test_a_translated_response_holds_reads_and_not_writes(tmp_path):
    """Helicone's AI gateway: prompt = input + reads; its total counts reads a second time."""
    usage = {
        "prompt_tokens": 1114,
        "completion_tokens": 33,
        "total_tokens": 1114 + 33 + 1111 + 418,
        "prompt_tokens_details": {
            "cached_tokens": 1111,
            "cache_write_tokens": 418,
            "cache_write_details": {"write_5m_tokens": 418, "write_1h_tokens": 0},
        },
    }
    body = {"id": "msg_1", "object": "chat.completion", "usage": usage}
    event = one(tmp_path, provider="ANTHROPIC", response_body=body)
    assert event.tokens == {
        "cache_read": 1111,
        "cache_write_5m": 418,
        "input_uncached": 3,
        "output": 33,
    }


def test_columns_without_the_cache_are_an_estimate(tmp_path):
    old = {name: value for name, value in REQUEST.items() if "cache" not in name}
    (reading,) = events_of(open_files, tmp_path, old)
    assert state(reading.event) == "estimated"


def test_a_used_cache_is_not_billed(tmp_path):
    event = one(tmp_path, cache_reference_id="0b9f3c1e-0000-4000-8000-0000000000aa")
    assert (event.tokens, state(event)) == ({"input_uncached": 0, "output": 0}, "reported")
    unused = one(tmp_path, cache_reference_id="00000000-0000-0000-0000-000000000000")
    assert unused.tokens["output"] == 200


def test_a_request_under_way_is_not_read_and_a_cancelled_one_is_no_error(tmp_path):
    assert events_of(open_files, tmp_path, REQUEST | {"response_status": -2}) == []
    nothing = {"prompt_tokens": None, "completion_tokens": None}
    event = one(tmp_path, response_status=-3, **nothing)
    assert (event.status, state(event)) == ("client_aborted", "unknown")
    assert one(tmp_path, response_status=500).status == "error"


def test_what_helicone_changes_later_does_not_make_another_record(tmp_path):
    """A signed address is new in every export, a score comes days after the call."""
    later = {"signed_body_url": "https://x/2", "scores": {"good": 1}, "updated_at": "2026-12-01"}
    (first,), (second,) = (
        events_of(open_files, tmp_path, REQUEST | change)
        for change in ({"signed_body_url": "https://x/1"}, later)
    )
    personal = open_files([]).personal
    assert canonical_record(first.record, personal) == canonical_record(second.record, personal)


def test_a_page_of_the_api(tmp_path):
    (reading,) = events_of(open_files, tmp_path, {"data": [REQUEST], "error": None})
    assert reading.event.event_id == REQUEST["request_id"]


def test_the_exporters_table(tmp_path):
    path = tmp_path / "requests.csv"
    row = {
        "response_id": "r-1",
        "response_created_at": "2026-10-01T10:00:02.100Z",
        "response_status": "200",
        "request_created_at": "2026-10-01T10:00:00.000Z",
        "request_properties": '"{""Team"": ""search""}"',
        "request_user_id": "u1",
        "model": "gpt-4o-mini",
        "prompt_tokens": "1000",
        "completion_tokens": "200",
        "cost": "0.00024",
    }
    assert tuple(row) == COLUMNS
    path.write_text(f"{','.join(row)}\n{','.join(row.values())}\n,,,,,,,,,\n", encoding="utf-8")
    good, bad = open_files([path]).read()
    assert (good.place, good.event.event_id) == ("requests.csv:2", "r-1")
    assert good.event.tokens == {"input_uncached": 1000, "output": 200}
    assert state(good.event) == "estimated", "the table does not say what came from the cache"
    assert (good.event.provider, good.event.team) == ("openai", "search")
    assert good.event.reported_cost.amount == "0.00024"
    assert "response_id is empty" in bad.event.what


def test_a_table_without_its_columns_is_refused(tmp_path):
    path = tmp_path / "requests.csv"
    path.write_text("model,cost\ngpt-4o,1\n", encoding="utf-8")
    with pytest.raises(EventError, match="the table lacks response_id"):
        open_files([path])


KEYS = (*REQUEST, "response_body", "usage", "id", "cache_reference_id", "costUSD", "data", "type",
        "cached_tokens", "prompt_tokens_details", "input_tokens", "prompt_id")  # fmt: skip


@settings(max_examples=250, deadline=None)
@given(records(KEYS, REQUEST))
def test_any_record_gives_events_or_a_fault(record):
    check_record(open_files, record)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_give_events_or_a_fault(line):
    check_bytes(open_files, line)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from(COLUMNS), st.text(max_size=8)))
def test_any_row_of_a_table_gives_events_or_a_fault(row):
    with suppress(EventError):
        list(translate_row(row))


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=80))
def test_any_bytes_of_a_table_give_readings(tmp_path_factory, tail):
    path = tmp_path_factory.mktemp("table") / "requests.csv"
    path.write_bytes(",".join(COLUMNS).encode() + b"\n" + tail)
    for reading in open_files([path]).read():
        assert reading.place
