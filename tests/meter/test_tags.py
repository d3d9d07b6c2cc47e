"""Tags become fields and labels; money and instants stay exact."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallybook.clock import parse_instant
from tallybook.errors import EventError
from tallybook.meter.sources.tags import cost_fields, fields_of, instant, money, pairs_of, parsed


def fields(*told):
    return fields_of(tuple(pair for each in told for pair in pairs_of(each)))


def test_names_match_in_any_case_and_spelling():
    told = {"Helicone-Property-Team": "search", "FEATURE": "rag", "Env": "prod", "_user": "u",
            "Customer Id": "c", "chargeback.cohort": "new", "key": "k", "Session-ID": "s"}  # fmt: skip
    found, labels = fields(told)
    assert found == {
        "team": "search",
        "feature": "rag",
        "environment": "prod",
        "user": "u",
        "customer": "c",
        "cohort": "new",
        "key_id": "k",
        "session": "s",
    }
    assert labels == {}


def test_the_first_place_wins_and_other_tags_are_labels():
    found, labels = fields({"team": "a"}, ["team:b", "region:eu:west", "beta", "new"])
    assert found == {"team": "a"}
    assert labels == {"region": "eu:west", "tags": "beta,new"}


def test_parallel_arrays_and_json_text():
    assert dict(pairs_of({"key": ["a", "b"], "value": ["1", 2]})) == {"a": "1", "b": "2"}
    assert dict(pairs_of('{"team": "a"}')) == {"team": "a"}
    assert list(pairs_of("[broken")) == list(pairs_of(None)) == list(pairs_of(7)) == []


def test_a_purpose_is_one_of_the_list_or_a_label():
    assert fields({"purpose": "Prod"})[0] == {"purpose": "production"}
    assert fields({"purpose": "fun"}) == ({}, {"purpose": "fun"})


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=0, max_value=10**9, places=18))
def test_cents_are_shifted_exactly(cents):
    dollars = money(cents, 2)
    assert Decimal(dollars).scaleb(2) == cents
    assert "e" not in dollars.lower()


def test_more_digits_than_any_context_has():
    digits = "1" * 35
    assert money(f"0.{digits}", 2) == f"0.00{digits}"
    assert money(Decimal("1.5e-06")) == "0.0000015"


@pytest.mark.parametrize("told", [None, True, "", "free", [], "NaN", "Infinity", "1e900"])
def test_what_is_no_amount_is_none(told):
    assert money(told) is None


def test_a_cost_below_zero_is_a_label():
    assert cost_fields("-1.5") == {"labels": {"reported_cost_refused": "-1.5 USD"}}
    assert cost_fields(None) == {}


@pytest.mark.parametrize(
    "told",
    [
        "2026-10-24T09:20:46.500Z",
        "2026-10-24 09:20:46.500",
        "2026-10-24 11:20:46.500+02",
        "2026-10-24T11:20:46.500+02:00",
        Decimal("1792833646.5"),
        Decimal(1792833646500),
    ],
)
def test_one_instant_in_every_form(told):
    assert parse_instant(instant(told, "startTime")) == 1_792_833_646_500_000


@pytest.mark.parametrize("told", [True, [], Decimal("1e30"), -(10**40), Decimal("NaN")])
def test_what_is_no_instant_is_refused(told):
    with pytest.raises(EventError, match="startTime"):
        instant(told, "startTime")


def test_what_is_absent_is_none():
    assert instant(None, "startTime") is instant("", "startTime") is None


@given(st.text(max_size=30))
def test_any_text_is_json_or_nothing(told):
    parsed(told)
