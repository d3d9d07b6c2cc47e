"""When a budget runs out: an interval from whole days of the past, in whole numbers."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallybook.budget.forecast import DAY_US, DAYS_LEAST, HOUR_US, Day, forecast, split_days

START = 1_000 * DAY_US


def steady(pico_an_hour=10, *, weekend=False):
    return Day((pico_an_hour,) * 24, weekend)


def told(past, days=10, spent=0, limit=10**6, coming=None, **more):
    coming = [False] * days if coming is None else coming
    return forecast(
        past, coming, at_us=START, end_us=START + days * DAY_US, spent_pico=spent,
        limit_pico=limit, salt="feature:bot", paths=200, **more,
    )  # fmt: skip


def test_even_spending_runs_out_when_the_sum_says_so():
    found = told([steady()] * 5, limit=240 * 4 + 120)
    assert (found.runs_out_us.low, found.runs_out_us.high) == (START + DAY_US * 9 // 2,) * 2
    assert found.month_end_pico.middle == 2_400
    assert found.per_day_pico == 240
    assert found.out_of_ten == 10


def test_within_an_hour_spending_is_even():
    found = told([steady()] * 5, limit=15)
    assert found.runs_out_us.middle == START + HOUR_US * 3 // 2


def test_what_is_spent_already_counts():
    found = told([steady()] * 5, spent=900, limit=1_140)
    assert found.runs_out_us.middle == START + DAY_US
    assert found.month_end_pico.middle == 900 + 2_400


def test_a_budget_that_is_used_up_ran_out_now():
    assert told([steady()] * 5, spent=20, limit=20).runs_out_us.middle == START


def test_a_budget_that_lasts_does_not_run_out_in_the_month():
    found = told([steady()] * 5, limit=2_401)
    assert (found.runs_out_us.middle, found.out_of_ten) == (0, 0)


def test_the_month_ends_within_a_day():
    """A change of the clocks makes a month an hour longer or shorter than whole days."""
    found = forecast(
        [steady()] * 5, [False, False], at_us=START, end_us=START + DAY_US + HOUR_US * 3 // 2,
        spent_pico=0, limit_pico=10**6, salt="x", paths=50,
    )  # fmt: skip
    assert found.month_end_pico.middle == 240 + 15


@pytest.mark.parametrize("days", range(DAYS_LEAST))
def test_few_days_tell_nothing(days):
    assert told([steady()] * days) is None


def test_days_without_usage_are_days():
    found = told([steady(0)] * 5)
    assert (found.per_day_pico, found.runs_out_us.middle) == (0, 0)


def test_the_same_question_has_the_same_answer():
    past = [steady(n) for n in (3, 9, 27, 1, 14)]
    assert told(past) == told(past)


def test_a_change_of_pace_widens_the_interval():
    calm = told([steady(10)] * 16)
    faster = told([steady(10)] * 12 + [steady(40)] * 4)
    assert calm.month_end_pico.low == calm.month_end_pico.high
    assert faster.month_end_pico.high > 2 * faster.month_end_pico.low


def test_weekends_are_made_of_weekends_from_two_weeks_on():
    week = [steady(10)] * 5 + [steady(0, weekend=True)] * 2
    found = told(week * 2, days=7, coming=[False] * 5 + [True] * 2)
    assert found.month_end_pico.low == found.month_end_pico.high == 5 * 240
    mixed = told(week, days=7, coming=[False] * 5 + [True] * 2)
    assert mixed.month_end_pico.low < mixed.month_end_pico.high


def test_hours_become_whole_days_that_end_now():
    days = split_days([7, *range(48)], [False] * 25 + [True] * 24)
    assert [day.hours[0] for day in days] == [0, 24]
    assert [day.is_weekend for day in days] == [False, True]


HOURS = st.lists(st.integers(0, 10**15), min_size=24, max_size=24)


@settings(max_examples=30)
@given(
    st.lists(HOURS, min_size=3, max_size=6),
    st.integers(0, 10**16),
    st.integers(0, 10**17),
    st.integers(0, 10**17),
)
def test_the_interval_is_ordered_and_more_budget_never_runs_out_sooner(past, spent, limit, more):
    days = [Day(tuple(hours), False) for hours in past]
    one, other = (told(days, days=5, spent=spent, limit=at) for at in (limit, limit + more))
    for found in (one, other):
        ends = found.month_end_pico
        assert spent <= ends.low <= ends.middle <= ends.high
        assert 0 <= found.out_of_ten <= 10
    assert one.month_end_pico == other.month_end_pico
    for name in ("low", "middle", "high"):
        sooner, later = (getattr(each.runs_out_us, name) or 2**62 for each in (one, other))
        assert START <= sooner <= later
