"""Whole counts, exact or refused."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tallybook.errors import EventError
from tallybook.meter.model import COUNT_MAX
from tallybook.meter.usage.figures import (
    FIGURE_MAX,
    at,
    count,
    dollars,
    dollars_of_ticks,
    first,
    items,
    milliseconds,
    text,
)


@pytest.mark.parametrize("value", [0, 7, Decimal("7.0"), Decimal("7E+2"), 62.0, FIGURE_MAX])
def test_a_count_is_a_whole_number(value):
    assert count(value, "n") == int(value)


@pytest.mark.parametrize(
    "value", [-1, Decimal(-1), Decimal("0.5"), 0.5, "7", True, [], {}, float("nan"), COUNT_MAX]
)
def test_what_is_no_count_is_refused_with_its_figure(value):
    with pytest.raises(EventError, match=r"^n is .*; a count is a whole number of 0 or more"):
        count(value, "n")


def test_what_is_not_told_is_none_and_not_zero():
    assert count(None, "n") is None
    assert first({"a": {"b": None}, "c": 3}, (("a", "b"), ("x",), ("c",))) == 3
    assert first({"a": 5}, (("a", "b"),)) is None
    assert at([], ("a",)) is None


def test_the_first_place_that_tells_wins_even_with_zero():
    assert first({"a": 0, "b": 9}, (("a",), ("b",))) == 0


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (37, 37_000),
        (Decimal("1.5"), 1_500),
        (Decimal("0.0001"), 1),
        (0, 0),
        (0.25, 250),
        (None, None),
    ],
)
def test_seconds_are_whole_milliseconds_and_a_fraction_counts(seconds, expected):
    assert milliseconds(seconds, "seconds") == expected


@pytest.mark.parametrize("seconds", [-1, "3", Decimal("1E+30"), float("inf"), True])
def test_what_is_no_length_is_refused(seconds):
    with pytest.raises(EventError, match="seconds are a number"):
        milliseconds(seconds, "seconds")


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (Decimal("0.00256995"), "0.00256995"),
        (Decimal("4.14E-05"), "0.0000414"),
        (Decimal("1E+2"), "100"),
        (Decimal("0.10"), "0.1"),
        (0, "0"),
        (0.25, "0.25"),
        (Decimal(-1), ""),
        (Decimal("1E+900000"), ""),
        ("1", ""),
        (None, ""),
    ],
)
def test_a_cost_is_exact_decimal_text(told, expected):
    assert dollars(told) == expected


def test_ticks_are_shifted_not_divided():
    assert dollars_of_ticks(1_721_250) == "0.000172125"
    assert dollars_of_ticks(0) == "0"
    assert dollars_of_ticks(-5) == dollars_of_ticks("5") == ""


def test_text_and_lists_of_anything_else_are_empty():
    assert (text(3), text("a"), items("ab"), items([1, {"a": 1}])) == ("", "a", [], [{"a": 1}])
