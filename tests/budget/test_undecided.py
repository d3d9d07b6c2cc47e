"""Requests that nobody decided are an item of the close."""

import pytest

from people import OCTOBER, asked, company, denied
from tallybook.budget.undecided import undecided_item
from tallybook.close.waive import signed_for


@pytest.fixture
def books(tmp_path):
    made = company(tmp_path / "acme")
    yield made
    made.store.close()


def item(books, period=OCTOBER):
    with books.store.read() as tx:
        (found,) = signed_for(tx, str(period), [undecided_item(tx, period)])
    return found


def test_a_request_stops_the_close_of_its_month_until_it_is_decided(books):
    assert item(books).ok
    request = asked(books)
    found = item(books)
    assert found.blocks
    assert found.evidence.startswith(f"1 requests are not decided: {request.id} feature bot")
    assert f"tallybook budget deny {request.id}" in found.next_step
    assert item(books, OCTOBER.next()).ok
    denied(books, request.id)
    assert item(books).ok


def test_a_signature_passes_it(books):
    asked(books)
    books.waive("2026-10", "budgets")
    assert not item(books).blocks
    assert item(books).waived_by == "cfo"
