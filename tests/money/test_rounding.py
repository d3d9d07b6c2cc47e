from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallybook.errors import MoneyError
from tallybook.money import (
    cents_of_nano,
    discounted_price,
    exchanged,
    half_even,
    nano_covering,
    nano_of_pico,
    pico_of_figure,
    proportional,
)

positive = st.integers(min_value=1, max_value=10**20)


@pytest.mark.parametrize(
    ("numerator", "denominator", "nearest"),
    [(5, 10, 0), (15, 10, 2), (25, 10, 2), (-5, 10, 0), (-15, 10, -2), (16, 10, 2), (-14, 10, -1)],
)
def test_halves_go_to_the_even_unit(numerator: int, denominator: int, nearest: int) -> None:
    assert half_even(numerator, denominator) == nearest


@given(st.integers(), positive)
def test_half_even_is_that_of_fractions(numerator: int, denominator: int) -> None:
    assert half_even(numerator, denominator) == round(Fraction(numerator, denominator))


@given(st.integers(), positive)
def test_half_even_is_symmetric(numerator: int, denominator: int) -> None:
    assert half_even(-numerator, denominator) == -half_even(numerator, denominator)


@pytest.mark.parametrize(("numerator", "denominator"), [(1, 0), (1, -2), (1.5, 2), (1, 2.0)])
def test_half_even_refuses(numerator: int, denominator: int) -> None:
    with pytest.raises(MoneyError):
        half_even(numerator, denominator)


@given(st.integers(-(10**30), 10**30))
def test_crossings_agree_with_decimal(amount: int) -> None:
    with localcontext(prec=60):
        unit = Decimal(1)
        assert nano_of_pico(amount) == Decimal(amount).scaleb(-3).quantize(unit, ROUND_HALF_EVEN)
        assert cents_of_nano(amount) == Decimal(amount).scaleb(-7).quantize(unit, ROUND_HALF_EVEN)


def test_discounted_price() -> None:
    assert discounted_price(2_500_000, Fraction(1, 5)) == 2_000_000
    assert discounted_price(5, Fraction(1, 2)) == 2
    assert discounted_price(7, Fraction(0)) == 7
    assert discounted_price(7, Fraction(1)) == 0


@pytest.mark.parametrize("discount", [Fraction(-1, 10), Fraction(11, 10), 0.2, "20%", 20])
def test_what_is_no_discount_is_refused(discount: Fraction) -> None:
    with pytest.raises(MoneyError, match="between 0 and 1"):
        discounted_price(100, discount)


@pytest.mark.parametrize(
    ("text", "scale", "pico", "decimals"),
    [
        ("0.8958740000000000", 12, 895_874_000_000, 6),
        ("123.78912", 10, 1_237_891_200_000, 5),
        ("-0.5", 12, -500_000_000_000, 1),
        ("1.7897999999999998", 12, 1_789_800_000_000, 16),
        ("0.0000000000005", 12, 0, 13),
        ("0.0000000000015", 12, 2, 13),
        ("7", 12, 7_000_000_000_000, 0),
    ],
)
def test_a_figure_of_a_provider_crosses_once(
    text: str, scale: int, pico: int, decimals: int
) -> None:
    assert pico_of_figure(text, scale) == (pico, decimals)


@given(st.integers(-(10**18), 10**18), st.integers(0, 10**9), st.integers(1, 10**9))
def test_exchange_and_share_round_half_even(pico: int, part: int, whole: int) -> None:
    exact = round(Fraction(pico * part, whole))
    assert exchanged(pico, Fraction(part, whole)) == proportional(pico, part, whole) == exact


@given(st.integers(min_value=0, max_value=10**24))
def test_what_is_held_covers_the_amount_and_no_whole_nano_more(pico: int) -> None:
    held = nano_covering(pico)
    assert pico <= held * 1000 < pico + 1000
