"""The page of budgets escapes what people wrote and stands by itself."""

import re

import pytest

from company import org
from people import company
from tallybook.budget.burn import burn
from tallybook.cli.budget_page import budgets_html
from tallybook.cli.budget_state import month_of_budgets


@pytest.fixture
def books(tmp_path):
    made = company(tmp_path / "acme", org=org().replace("name: Bot", 'name: "<b>Bot"'))
    yield made
    made.store.close()


def test_names_are_escaped_and_nothing_is_loaded(books):
    month = month_of_budgets(books.store, books.clock, None)
    page = budgets_html(month, burn(month.books, month.states, *month.series))
    assert "&lt;b&gt;Bot" in page
    assert "<b>Bot" not in page
    assert "http" not in page
    assert page.count('class="force"') == 3


def test_the_minute_is_told_and_whether_the_company_is_made_up(books, tmp_path):
    month = month_of_budgets(books.store, books.clock, None)
    page = budgets_html(month, burn(month.books, month.states, *month.series))
    assert re.search(r'class="when">2026-\d\d-\d\d \d\d:\d\d UTC<', page)
    assert "Simulated data" not in page
    made_up = org().replace("company: {", "company: {simulated: true, ")
    other = company(tmp_path / "made-up", org=made_up)
    month = month_of_budgets(other.store, other.clock, None)
    assert "Simulated data" in budgets_html(month, [])
    other.store.close()
