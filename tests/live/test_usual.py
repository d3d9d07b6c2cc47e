"""What an hour usually costs: exact means of earlier days or weeks."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from tallybook.live.model import HOUR_US
from tallybook.live.usual import DAY_US, WEEK_US, Before, hours_before, touched_hours, usual_of

NOON = 20_000 * DAY_US + 12 * HOUR_US
WHO = ("a", "bot")


def test_from_two_weeks_on_it_is_the_weekday():
    assert hours_before(NOON, None) == ([], False)
    assert hours_before(NOON, NOON - DAY_US) == ([NOON - DAY_US], False)
    days, is_weeks = hours_before(NOON, NOON - 2 * WEEK_US + 1)
    assert (len(days), is_weeks) == (13, False)
    weeks = hours_before(NOON, NOON - 2 * WEEK_US)
    assert weeks == ([NOON - WEEK_US, NOON - 2 * WEEK_US], True)


def test_a_stretch_takes_its_part_of_each_hour():
    before = {NOON: Before(3, False, {WHO: 10}), NOON + HOUR_US: Before(2, True, {WHO: 8})}
    quarter = HOUR_US // 4
    found = usual_of(NOON + 3 * quarter, NOON + HOUR_US + quarter, before, WHO)
    assert found.cost_pico == Fraction(10, 3) / 4 + Fraction(8, 2) / 4
    assert (found.hours, found.like) == (3, "days")
    assert usual_of(NOON, NOON + 2 * HOUR_US, before, ("b", "")).cost_pico == 0
    assert usual_of(NOON - HOUR_US, NOON + 1, before, WHO) is None  # nothing to go by


@given(st.integers(0, DAY_US), st.integers(1, 2 * HOUR_US))
def test_the_hours_cover_the_stretch(low, length):
    hours = touched_hours(low, low + length)
    assert hours[0] <= low < hours[0] + HOUR_US
    assert hours[-1] < low + length <= hours[-1] + HOUR_US
