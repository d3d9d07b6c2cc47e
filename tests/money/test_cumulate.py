from __future__ import annotations

import itertools
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from tallybook.money import cumulative_nano, cumulative_share, half_even, nano_of_pico

lists = st.lists(st.integers(-(10**15), 10**15), max_size=40)
rates = st.fractions(min_value=0, max_value=2, max_denominator=1000)


def test_small_amounts_are_not_lost() -> None:
    assert cumulative_nano([400] * 5) == [0, 1, 0, 1, 0]
    assert [nano_of_pico(400)] * 5 == [0] * 5
    assert cumulative_nano([]) == []


def test_a_markup_of_small_lines_is_not_lost() -> None:
    assert cumulative_share([1] * 10, Fraction(3, 20)) == [0, 0, 0, 1, 0, 0, 0, 0, 0, 1]
    assert cumulative_share([600, 200], Fraction(3, 20)) == [90, 30]


@given(lists)
def test_postings_sum_to_the_rounded_sum(picos: list[int]) -> None:
    assert sum(cumulative_nano(picos)) == nano_of_pico(sum(picos))


@given(lists, rates)
def test_shares_sum_to_the_rounded_share(nanos: list[int], rate: Fraction) -> None:
    share = sum(nanos) * rate
    assert sum(cumulative_share(nanos, rate)) == half_even(share.numerator, share.denominator)


@given(lists, rates)
def test_each_part_is_within_one_unit_and_every_prefix_within_half(
    nanos: list[int], rate: Fraction
) -> None:
    parts = cumulative_share(nanos, rate)
    assert len(parts) == len(nanos)
    for nano, part in zip(nanos, parts, strict=True):
        assert abs(part - nano * rate) <= 1
    for exact, booked in zip(itertools.accumulate(nanos), itertools.accumulate(parts), strict=True):
        assert abs(booked - exact * rate) <= Fraction(1, 2)


@given(lists)
def test_negation(picos: list[int]) -> None:
    assert cumulative_nano([-pico for pico in picos]) == [-nano for nano in cumulative_nano(picos)]


@given(lists, st.integers(min_value=0, max_value=40))
def test_a_longer_run_repeats_the_shorter(picos: list[int], cut: int) -> None:
    assert cumulative_nano(picos)[:cut] == cumulative_nano(picos[:cut])
