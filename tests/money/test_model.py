from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallybook.errors import MoneyError
from tallybook.money import (
    CENTS_PER_UNIT,
    NANO_PER_CENT,
    NANO_PER_UNIT,
    PICO_PER_NANO,
    PICO_PER_UNIT,
    Amount,
)

amounts = st.builds(
    Amount, st.integers(), st.integers(min_value=0, max_value=18), st.sampled_from(["USD", "EUR"])
)


def test_scales() -> None:
    assert PICO_PER_UNIT == 10**12
    assert NANO_PER_UNIT == 10**9
    assert CENTS_PER_UNIT == 100
    assert PICO_PER_NANO == 1000
    assert NANO_PER_CENT == 10**7


def test_amounts_add_subtract_negate_and_order() -> None:
    one, two = Amount(150, 2, "USD"), Amount(-50, 2, "USD")
    assert one + two == Amount(100, 2, "USD")
    assert one - two == Amount(200, 2, "USD")
    assert -one == Amount(-150, 2, "USD")
    assert two < one
    assert one >= two
    assert sorted([one, two]) == [two, one]


@pytest.mark.parametrize("other", [Amount(1, 3, "USD"), Amount(1, 2, "EUR")])
def test_scales_and_currencies_do_not_mix(other: Amount) -> None:
    mine = Amount(1, 2, "USD")
    assert mine != other
    for mix in (mine.__add__, mine.__sub__, mine.__lt__):
        with pytest.raises(MoneyError, match="cannot be combined"):
            mix(other)


def test_an_amount_does_not_mix_with_a_number() -> None:
    with pytest.raises(MoneyError, match="which is no amount"):
        Amount(1, 2, "USD") + 1  # type: ignore[operator]


@pytest.mark.parametrize(
    "fields", [(1.0, 2, "USD"), (True, 2, "USD"), (1, 2.0, "USD"), (1, -1, "USD"), (1, 19, "USD")]
)
def test_units_and_scale_are_integers_in_range(fields: tuple[object, object, str]) -> None:
    with pytest.raises(MoneyError):
        Amount(*fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("currency", ["usd", "US", "USDT", "U$D", "", "ÜSD"])
def test_currency_is_three_capital_letters(currency: str) -> None:
    with pytest.raises(MoneyError, match="three capital letters"):
        Amount(1, 2, currency)


def test_text_of_an_amount() -> None:
    assert str(Amount(-1250, 2, "USD")) == "-12.50 USD"
    assert Amount.parse("0.000000001 EUR") == Amount(1, 9, "EUR")
    assert Amount.parse("7 JPY") == Amount(7, 0, "JPY")


@pytest.mark.parametrize("text", ["", "1.00", "1.00USD", "1.00  USD", "USD 1.00", "1.00 USD x"])
def test_text_in_another_form_is_refused(text: str) -> None:
    with pytest.raises(MoneyError):
        Amount.parse(text)


@given(amounts)
def test_text_round_trip(amount: Amount) -> None:
    if len(str(amount)) < 60:
        assert Amount.parse(str(amount)) == amount


@given(st.integers(), st.integers(), st.integers())
def test_addition_is_that_of_integers(one: int, two: int, three: int) -> None:
    a, b, c = (Amount(units, 9, "USD") for units in (one, two, three))
    assert (a + b) + c == a + (b + c)
    assert a + b == b + a
    assert a - a == Amount(0, 9, "USD")
    assert (a < b) == (one < two)
