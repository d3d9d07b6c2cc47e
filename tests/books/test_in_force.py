"""What budget is in force, at an instant and at month end: files and grants under one law."""

from hypothesis import given
from hypothesis import strategies as st

from tallybook.books.budgets import Budget, Budgets, Grant, Increase
from tallybook.books.model import FOREVER_US
from tallybook.clock import Calendar, Period, parse_instant

OCTOBER = Period(2026, 10)
DAY_US = 86_400_000_000
START_US, END_US = Calendar("UTC", "2026-01").bounds_us(OCTOBER)


def budget(feature="bot", monthly_nano=100):
    return Budget(feature, OCTOBER, None, monthly_nano, (), "none", ())


def grant(amount_nano=7, from_day=10, until_day=None, subject="bot", scope="feature", number=1):
    until_us = FOREVER_US if until_day is None else START_US + until_day * DAY_US
    return Grant(
        number, scope, subject, OCTOBER, amount_nano, START_US + from_day * DAY_US, until_us,
        "boss", "asker", "launch", number,
    )  # fmt: skip


def at(day):
    return START_US + day * DAY_US


def test_a_grant_counts_from_its_decision_on():
    budgets = Budgets((budget(),)).granted([grant(from_day=10)])
    assert budgets.in_force("bot", OCTOBER, at(10) - 1) == 100
    assert budgets.in_force("bot", OCTOBER, at(10)) == 107
    assert budgets.in_force("bot", OCTOBER) == 107


def test_a_temporary_grant_is_gone_at_month_end():
    budgets = Budgets((budget(),)).granted([grant(from_day=10, until_day=12)])
    assert budgets.in_force("bot", OCTOBER, at(12) - 1) == 107
    assert budgets.in_force("bot", OCTOBER, at(12)) == 100
    assert budgets.in_force("bot", OCTOBER) == 100


def test_an_increase_of_the_file_counts_from_its_day_on_in_the_company_zone():
    from_us = Calendar("America/New_York", "2026-01").date_start_us("2026-10-20")
    assert from_us == parse_instant("2026-10-20T04:00:00Z")
    increase = Increase("bot", OCTOBER, 30, "boss", "2026-10-20", from_us)
    budgets = Budgets((budget(),), (increase,))
    assert budgets.in_force("bot", OCTOBER, from_us - 1) == 100
    assert budgets.in_force("bot", OCTOBER, from_us) == 130


def test_no_budget_is_not_increased():
    budgets = Budgets().granted([grant()])
    assert budgets.in_force("bot", OCTOBER) is None


def test_a_grant_of_another_scope_or_subject_is_not_counted():
    budgets = Budgets((budget(),)).granted([grant(scope="team"), grant(subject="find")])
    assert budgets.in_force("bot", OCTOBER) == 100
    assert budgets.granted_nano("team", "bot", OCTOBER) == 7


@given(
    st.lists(st.tuples(st.integers(1, 10**15), st.integers(0, 30), st.none() | st.integers(1, 30)))
)
def test_the_month_end_is_its_last_instant(rows):
    """Whatever was granted: in force at month end is what is in force in its last microsecond."""
    grants = [
        grant(nano, first, None if length is None else min(first + length, 30), number=number)
        for number, (nano, first, length) in enumerate(rows, 1)
    ]
    budgets = Budgets((budget(),)).granted(grants)
    assert budgets.in_force("bot", OCTOBER) == budgets.in_force("bot", OCTOBER, END_US - 1)
