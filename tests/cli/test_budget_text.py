"""A month of budgets as the command line reads and spells it."""

from dataclasses import replace

import pytest

from people import OCTOBER, at, company
from tallybook.cli.budget_state import month_of_budgets
from tallybook.cli.budget_text import bar, list_text, requests_text
from tallybook.clock import parse_instant

EMPTY = "[....................]"


@pytest.fixture
def books(tmp_path):
    made = company(tmp_path / "acme")
    yield made
    made.store.close()


def test_the_running_month_is_what_live_counts(books):
    month = month_of_budgets(books.store, books.clock, None)
    assert (month.period, month.currency) == (OCTOBER, "USD")
    hours, starts, at_us = month.series
    assert at_us == books.clock.now_us()
    assert sum(hours["a", "bot"]) == 10**12
    assert len(hours["a", "bot"]) == len(starts)


def test_a_month_to_come_has_used_nothing(books):
    month = month_of_budgets(books.store, books.clock, OCTOBER.next())
    assert [state.used_pico for state in month.states] == [0] * 3
    assert month.at_us == parse_instant("2026-11-01T00:00:00Z")


def test_bars_are_full_at_the_amount_and_marked_beyond_it(books):
    state = month_of_budgets(books.store, books.clock, None).states[0]
    assert bar(replace(state, used_pico=0)) == EMPTY
    assert bar(replace(state, used_pico=2 * 10**12)) == "[" + "#" * 20 + "]"
    assert bar(replace(state, used_pico=9 * 10**12)) == "[" + "#" * 20 + "]!"
    assert bar(replace(state, used_pico=None)) == ""


def test_a_month_without_budgets_says_what_to_do(books):
    at(books, "2026-09-10T00:00:00Z")
    month = month_of_budgets(books.store, books.clock, None)
    assert list_text(month) == "2026-09 has no budgets; add them to budgets.yaml and apply"
    assert requests_text([]) == "no request waits"
