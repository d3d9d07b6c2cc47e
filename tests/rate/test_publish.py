"""A period's prices are published by its first run and frozen."""

import pytest

from company import PRICES, usage
from tallybook.books.model import Prices
from tallybook.clock import Period
from tallybook.errors import PriceError
from tallybook.rate.lists import load_list
from tallybook.rate.publish import Publication, due_publication, price_books, publications

OCTOBER = Period(2026, 10)


def test_the_first_run_publishes_and_the_next_does_not(company):
    company.run()
    company.run()
    with company.store.read() as tx:
        (held,) = publications(tx, OCTOBER)
    assert (held.label, held.number, held.prices_version) == ("2026-10-01.1", 1, 1)
    assert due_publication([held], OCTOBER, 1, "contract") is None


def test_changed_prices_or_another_basis_are_due(company):
    company.run()
    with company.store.read() as tx:
        held = publications(tx, OCTOBER)
    assert due_publication(held, OCTOBER, 2, "contract").label == "2026-10-01.2"
    assert due_publication(held, OCTOBER, 1, "list").number == 2
    assert due_publication([], OCTOBER, 0, "list").number == 1


def test_each_period_has_its_own(company):
    company.ingest(usage())
    company.run()
    company.apply(prices=PRICES.replace('"10"', '"12"'))
    company.run("2026-11")
    with company.store.read() as tx:
        assert [p.label for p in publications(tx, OCTOBER)] == ["2026-10-01.1"]
        assert [p.label for p in publications(tx, OCTOBER.next())] == ["2026-11-01.1"]


def test_the_books_of_publications_are_in_the_currency_of_the_books():
    version = load_list().version
    published = [Publication("2026-10-01.1", "2026-10", 1, version, 0, "list", "")]
    assert len(price_books(published, {0: Prices()}, "USD")) == 1
    with pytest.raises(PriceError, match="the books in EUR"):
        price_books(published, {0: Prices()}, "EUR")
