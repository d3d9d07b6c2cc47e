from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallybook.errors import MoneyError
from tallybook.money import format_percent, format_ratio, format_share, whole_parts


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (36, 1000, "3.6 %"),
        (1, 3, "33.3 %"),
        (2, 3, "66.7 %"),
        (-1, 8, "-12.5 %"),
        (1, 0, "-"),
        (0, 7, "0.0 %"),
    ],
)
def test_format_share(part, whole, text):
    assert format_share(part, whole) == text


@pytest.mark.parametrize(
    ("part", "whole", "places", "text"),
    [
        (1, 3, 4, "0.3333"),
        (2, 3, 4, "0.6667"),
        (1, 32, 4, "0.0312"),
        (3, 32, 4, "0.0938"),
        (-1, 3, 4, "-0.3333"),
        (1, -3, 4, "-0.3333"),
        (-5, -4, 1, "1.2"),
        (-1, 10**9, 4, "0.0000"),
        (7, 2, 0, "4"),
    ],
)
def test_format_ratio_rounds_half_to_even(part, whole, places, text):
    assert format_ratio(part, whole, places) == text


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (Fraction(15, 100), "15 %"),
        (Fraction(1, 8), "12.5 %"),
        (Fraction(1), "100 %"),
        (Fraction(0), "0 %"),
        (Fraction(1, 3), "33.3333 %"),
        (Fraction(-1, 200), "-0.5 %"),
    ],
)
def test_a_rate_is_written_in_as_few_digits_as_say_it(rate, text):
    assert format_percent(rate) == text


def test_format_ratio_of_nothing_is_refused():
    with pytest.raises(MoneyError, match="denominator"):
        format_ratio(1, 0, 4)


def test_whole_parts_add_up():
    assert whole_parts([Fraction(1, 3)] * 3) == [0, 1, 0]
    assert whole_parts([]) == []
    with pytest.raises(MoneyError, match="1/3"):
        whole_parts([Fraction(1, 3)])


@given(st.lists(st.fractions(max_denominator=50), max_size=6), st.integers())
def test_whole_parts_stay_within_a_unit(parts, total):
    every = [*parts, total - sum(parts)]
    whole = whole_parts(every)
    assert sum(whole) == total
    assert all(abs(got - exact) <= 1 for got, exact in zip(whole, every, strict=True))
