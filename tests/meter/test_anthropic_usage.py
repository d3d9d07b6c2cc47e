"""Anthropic's usage report: counts that are disjoint already, by key, model, tier and region."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallybook.errors import EventError
from tallybook.meter.measure import total_tokens
from tallybook.meter.sources.anthropic_usage import open_files

SAMPLES = Path(__file__).parents[3] / "shared" / "data" / "billing_samples"
RESULT = {
    "account_id": None, "api_key_id": "apikey_1", "workspace_id": None, "service_account_id": None,
    "cache_creation": {"ephemeral_1h_input_tokens": 1000, "ephemeral_5m_input_tokens": 500},
    "cache_read_input_tokens": 200, "context_window": "0-200k", "inference_geo": "us",
    "model": "claude-opus-5", "output_tokens": 500,
    "server_tool_use": {"web_search_requests": 10}, "service_tier": "standard", "speed": None,
    "uncached_input_tokens": 1500,
}  # fmt: skip


def page(*results, start="2025-08-01T00:00:00Z", end="2025-08-02T00:00:00Z"):
    bucket = {"starting_at": start, "ending_at": end, "results": list(results)}
    return {"data": [bucket], "has_more": True, "next_page": "page_1"}


def read(tmp_path, told):
    path = tmp_path / "page.json"
    path.write_text(json.dumps(told))
    return list(open_files([path]).read())


def event_of(tmp_path, **changes):
    (one,) = read(tmp_path, page({**RESULT, **changes}))
    if isinstance(one.event, EventError):
        raise one.event
    return one.event


def test_what_was_cached_is_beside_the_input(tmp_path):
    event = event_of(tmp_path)
    assert event.tokens == {
        "input_uncached": 1500, "cache_read": 200, "cache_write_5m": 500, "cache_write_1h": 1000,
        "output": 500,
    }  # fmt: skip
    assert total_tokens(event) == 3700
    assert event.units == {"web_search": 10}


def test_a_bucket_says_whose_and_where(tmp_path):
    event = event_of(
        tmp_path, workspace_id="wrkspc_1", account_id="user_1", service_account_id="svac_1"
    )
    assert (event.key_id, event.user, event.region, event.tier) == (
        "apikey_1",
        "user_1",
        "us",
        "standard",
    )
    assert event.labels == {
        "context_window": "0-200k",
        "service_account": "svac_1",
        "workspace": "wrkspc_1",
    }


@pytest.mark.parametrize(
    ("tier", "speed", "told"),
    [
        ("batch", None, "batch"),
        ("priority_on_demand", "standard", "priority_on_demand"),
        ("standard", "fast", "fast"),
        (None, "fast", "fast"),
        ("batch", "fast", "batch"),
        (None, None, None),
    ],
)
def test_the_tier_is_that_of_the_price(tmp_path, tier, speed, told):
    assert event_of(tmp_path, service_tier=tier, speed=speed).tier == told


def test_a_region_that_is_not_available_is_none(tmp_path):
    assert event_of(tmp_path, inference_geo="not_available").region is None


def test_an_open_figure_is_unknown(tmp_path):
    assert event_of(tmp_path, output_tokens=None).tokens["output"] is None


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"model": None}, "this bucket adds up all models"),
        ({"output_tokens": -1}, "output_tokens is -1"),
        ({"cache_creation": {"ephemeral_5m_input_tokens": "x"}}, "ephemeral_5m_input_tokens is"),
        ({"amount": "123.78912"}, "this is a cost report, in cents"),
    ],
)
def test_a_result_that_cannot_be_read_is_told(tmp_path, changes, told):
    with pytest.raises(EventError, match=told):
        event_of(tmp_path, **changes)


def test_what_is_broken_in_a_page_is_told_and_the_rest_goes_in(tmp_path):
    broken = page(RESULT, 7)
    broken["data"] += [8, {"starting_at": "x"}, page(RESULT, end="2025-08-01T00:00:00Z")["data"][0]]
    broken["data"].append({**page()["data"][0], "results": {}})
    found = read(tmp_path, broken)
    assert [one.place for one in found if isinstance(one.event, EventError)] == [
        "page.json.1.2", "page.json.2", "page.json.3", "page.json.4", "page.json.5"
    ]  # fmt: skip
    (one,) = read(tmp_path, {"type": "error"})
    assert "data is null; it is a list" in one.event.what


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*RESULT, "data", "results", "starting_at"]), inner)
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(
    st.lists(st.dictionaries(st.sampled_from(list(RESULT)), JSON).map(lambda d: RESULT | d) | JSON),
    JSON,
)
def test_any_page_gives_buckets_or_faults(tmp_path_factory, results, more):
    folder = tmp_path_factory.mktemp("fuzz")
    whole = page(*results)
    whole["data"].append(more)
    for one in [*read(folder, whole), *read(folder, more)]:
        assert isinstance(one.event, EventError) or one.role == "bucket"


def test_the_documented_sample(tmp_path):
    path = SAMPLES / "anthropic_usage_report_messages.json"
    if not path.is_file():
        pytest.skip("the shared data is absent: billing_samples")
    (one,) = open_files([path]).read()
    assert one.event.tokens == event_of(tmp_path).tokens
    assert one.event.units == {"web_search": 10}
    (costs,) = open_files([path.parent / "anthropic_cost_report.json"]).read()
    assert "a cost report, in cents" in costs.event.what
