"""Claude Code analytics: who used what in a day, cents exactly, and nothing that bills twice."""

import copy
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallybook.errors import EventError
from tallybook.meter.sources.claude_code import open_files

SAMPLES = Path(__file__).parents[3] / "shared" / "data" / "billing_samples"
RECORD = {
    "actor": {"email_address": "a@b.c", "type": "user_actor"},
    "core_metrics": {"num_sessions": 15},
    "customer_type": "api",
    "date": "2025-08-08T00:00:00Z",
    "is_remote": False,
    "model_breakdown": [
        {
            "estimated_cost": {"amount": 186, "currency": "USD"},
            "model": "claude-opus-5",
            "tokens": {"cache_creation": 2340, "cache_read": 8790, "input": 45230, "output": 12450},
        }
    ],
    "organization_id": "org-1",
    "terminal_type": "iTerm.app",
    "subscription_type": "enterprise",
}
DAY_US = 86_400_000_000


def read(tmp_path, *records, told=None):
    path = tmp_path / "page.json"
    text = told if told is not None else {"data": list(records), "has_more": False}
    path.write_text(json.dumps(text))
    return list(open_files([path]).read())


def record(**changes):
    return copy.deepcopy(RECORD) | changes


def model(**changes):
    return [copy.deepcopy(RECORD["model_breakdown"][0]) | changes]


def event_of(tmp_path, told):
    (one,) = read(tmp_path, told)
    if isinstance(one.event, EventError):
        raise one.event
    return one.event


def test_a_day_of_a_person_at_a_model(tmp_path):
    event = event_of(tmp_path, record())
    assert event.tokens == {
        "input_uncached": 45230, "cache_read": 8790, "cache_write": 2340, "output": 12450
    }  # fmt: skip
    assert event.ended_us - event.started_us == DAY_US
    assert (event.user, event.service, event.model) == ("a@b.c", "claude-code", "claude-opus-5")
    assert event.labels["is_remote"] == "false"
    assert "not_billed" not in event.labels


@pytest.mark.parametrize(
    ("cents", "amount"), [(186, "1.86"), (42, "0.42"), (0, "0.00"), (7, "0.07"), (0.5, "0.005")]
)
def test_cents_become_the_amount_exactly(tmp_path, cents, amount):
    cost = {"amount": cents, "currency": "usd"}
    event = event_of(tmp_path, record(model_breakdown=model(estimated_cost=cost)))
    assert (event.reported_cost.amount, event.reported_cost.currency) == (amount, "USD")


def test_what_a_seat_pays_for_never_bills(tmp_path):
    event = event_of(tmp_path, record(customer_type="subscription"))
    assert event.labels["not_billed"] == "subscription"


def test_a_key_is_an_actor_too_and_people_stay_apart(tmp_path):
    key = record(actor={"type": "api_actor", "api_key_name": "ci"})
    first, second, third = read(tmp_path, record(), key, record(actor={"email_address": "d@e.f"}))
    assert second.event.labels["api_key_name"] == "ci"
    assert second.event.user is None
    assert len({one.event.event_id for one in (first, second, third)}) == 3


def test_without_a_cost_there_is_none(tmp_path):
    assert (
        event_of(tmp_path, record(model_breakdown=model(estimated_cost=None))).reported_cost is None
    )


@pytest.mark.parametrize(
    ("told", "what"),
    [
        (record(date="2025"), 'date is "2025"'),
        (record(date=None), "date is null"),
        (record(actor=None), "null stands here; an actor"),
        (record(model_breakdown=None), "model_breakdown is null"),
        (record(model_breakdown=[1]), "1 stands here"),
        (record(model_breakdown=model(tokens=None)), "null stands here"),
        (record(model_breakdown=model(tokens={"input": -1})), "tokens.input is -1"),
        (record(model_breakdown=model(estimated_cost={"amount": -1})), "is an amount of cents"),
        (record(model_breakdown=model(estimated_cost={"amount": "x"})), "is an amount of cents"),
        (record(model_breakdown=model(estimated_cost={"amount": 1})), "currency"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told(tmp_path, told, what):
    with pytest.raises(EventError, match=what):
        event_of(tmp_path, told)


def test_a_page_of_another_report_is_told(tmp_path):
    (one,) = read(tmp_path, told={"data": [{"starting_at": "2025-08-01T00:00:00Z", "results": []}]})
    assert "date is null" in one.event.what
    (one,) = read(tmp_path, told={"error": "x"})
    assert "data is null" in one.event.what


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*RECORD, "tokens", "estimated_cost", "amount"]), inner)
    ),
    max_leaves=10,
)


@settings(deadline=None)
@given(
    st.dictionaries(st.sampled_from(list(RECORD)), JSON),
    st.dictionaries(st.sampled_from(["estimated_cost", "model", "tokens"]), JSON),
    JSON,
)
def test_any_record_gives_buckets_or_faults(tmp_path_factory, changes, inside, more):
    folder = tmp_path_factory.mktemp("fuzz")
    changed = record(model_breakdown=model(**inside))
    for one in read(folder, record(**changes), changed, more):
        assert isinstance(one.event, EventError) or one.role == "bucket"
    read(folder, told=more)


def test_the_documented_sample():
    path = SAMPLES / "anthropic_claude_code_usage.json"
    if not path.is_file():
        pytest.skip("the shared data is absent: billing_samples")
    opus, sonnet = (one.event for one in open_files([path]).read())
    assert (opus.reported_cost.amount, sonnet.reported_cost.amount) == ("1.86", "0.42")
    assert sum(opus.tokens.values()) == 45230 + 8790 + 2340 + 12450
