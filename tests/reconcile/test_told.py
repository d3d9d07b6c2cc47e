"""Units, quantities and dates as providers write them."""

import pytest

from tallybook.errors import InvoiceError
from tallybook.reconcile.read.told import instant_of, quantity_of, unit_factor


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("1K", 1000), ("1M", 10**6), ("1000000 Tokens", 10**6), ("Tokens", 1), ("1K Tokens", 1000),
     ("1,000,000 Tokens", 10**6), ("", 1), ("1 Hour", 1), ("1M count", 10**6), ("million", 10**6)],
)  # fmt: skip
def test_units(unit, factor):
    assert unit_factor(unit) == factor


def test_a_quantity_that_is_not_whole_is_not_known():
    assert quantity_of("433.893", 1000, "q") == 433_893
    assert quantity_of("0.0005", 1000, "q") is None
    assert quantity_of("", 1000, "q") is None
    assert quantity_of("1.5E+3", 1, "q") == 1500


def test_dates_of_providers():
    assert len({instant_of(text, "t") for text in (
        "2026-10-03", "10/03/2026", "2026-10-03 00:00:00 UTC", "2026-10-03T00:00:00", 1790985600,
    )}) == 1  # fmt: skip
    with pytest.raises(InvoiceError, match="date or an instant"):
        instant_of("soon", "t")
