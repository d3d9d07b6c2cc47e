"""Which rate an invoice's amount takes, and what of it is exchange."""

from fractions import Fraction

import pytest

from tallybook.books.model import Prices
from tallybook.books.span import FOREVER_US
from tallybook.books.terms import ContractRow, ExchangeRate
from tallybook.errors import InvoiceError
from tallybook.reconcile.exchange import Exchange
from tallybook.reconcile.model import DAY_US, LineKind, ToldLine

RATES = (
    ExchangeRate("EUR", 0, "1970-01-01", Fraction(11, 10), "1.10"),
    ExchangeRate("EUR", 10 * DAY_US, "1970-01-11", Fraction(12, 10), "1.20"),
)
IN_EURO = ContractRow("E", "e", "", "", "", None, {}, None, {}, 0, FOREVER_US, "contracts 1", "EUR")


def told(days=1, **more):
    said = {"place": "line 1", "kind": LineKind.USAGE, "start_us": 3 * DAY_US,
            "end_us": (3 + days) * DAY_US, "own_pico": 100, "places": 2, "currency": "EUR",
            "raw": {}}  # fmt: skip
    return ToldLine(**{**said, **more})


def exchange(*contracts, stated=None, rates=RATES, issued_on=""):
    return Exchange("USD", stated or {}, Prices(contracts, rates=rates), "e", issued_on)


def test_the_rate_of_whoever_imports_goes_first_then_the_row_then_the_books():
    row = {"rate": "1.5", "rate_date": "1970-01-02"}
    stated = exchange(stated={"EUR": ("2", "1970-01-09")}).in_books(told(**row))
    assert stated == (200, 0, "2", "1970-01-09")
    assert exchange().in_books(told(**row)) == (150, 0, "1.5", "1970-01-02")
    assert exchange().in_books(told()) == (110, 0, "1.10", "1970-01-01")
    assert exchange(issued_on="1970-01-20").in_books(told()) == (120, 0, "1.20", "1970-01-11")
    assert exchange().in_books(told(currency="USD")) == (100, 0, "", "")


def test_under_a_contract_in_that_currency_what_the_rate_moved_is_exchange():
    late = exchange(IN_EURO, issued_on="1970-01-20")
    assert late.in_books(told()) == (120, 10, "1.20", "1970-01-11")
    # A line for longer does not say at which rates it was used.
    assert late.in_books(told(days=5)) == (120, 0, "1.20", "1970-01-11")


def test_without_any_rate_it_is_refused():
    with pytest.raises(InvoiceError, match="there is no rate") as refused:
        exchange(rates=()).in_books(told())
    assert "--rate EUR=" in refused.value.next_step
