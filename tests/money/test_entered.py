"""Amounts that somebody enters: bounded, so that no column of the books overflows."""

import pytest

from tallybook.errors import MoneyError
from tallybook.money import AMOUNT_MAX, parse_amount


@pytest.mark.parametrize("sign", ["", "-"])
def test_an_amount_within_the_bound_is_exact_nano(sign):
    assert parse_amount(f"{sign}1204.180000001") == int(f"{sign}1204180000001")
    assert parse_amount(f"{sign}{AMOUNT_MAX}") == int(f"{sign}{AMOUNT_MAX}000000000")


@pytest.mark.parametrize("text", ["1000000000.000000001", "-99999999999999999999"])
def test_an_amount_beyond_the_bound_is_refused_with_the_figure(text):
    with pytest.raises(
        MoneyError, match=f"{text} is too large: an amount is at most 1,000,000,000"
    ):
        parse_amount(text)
