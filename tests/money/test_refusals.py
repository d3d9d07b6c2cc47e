"""Every refusal says what is wrong with its figures, and most what to do now."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest

from tallybook.errors import MoneyError
from tallybook.money import (
    Amount,
    apportion,
    cents_of_lines,
    discounted_price,
    format_ratio,
    half_even,
    parse_amount,
    parse_percent,
    parse_units,
    whole_flow,
    whole_parts,
)

REFUSALS: dict[str, Callable[[], object]] = {
    "units 1.5 and scale 2 of an amount must be integers\n"
    "  next: parse the decimal text with parse_units": lambda: Amount(1.5, 2, "USD"),  # type: ignore[arg-type]
    "scale 19 is outside 0 to 18": lambda: Amount(1, 19, "USD"),
    "currency 'usd' is not a code of three capital letters\n"
    "  next: use the ISO 4217 code, such as USD": lambda: Amount(1, 2, "usd"),
    "currency 'USD now' is not a code of three capital letters\n"
    "  next: use the ISO 4217 code, such as USD": lambda: Amount.parse("12.50 USD now"),
    "0.01 USD cannot be combined with 1, which is no amount": lambda: (
        Amount(1, 2, "USD") + 1  # type: ignore[operator]
    ),
    "0.01 USD (scale 2) cannot be combined with 0.001 USD (scale 3)\n"
    "  next: bring both to one scale and currency by a named crossing first": lambda: (
        Amount(1, 2, "USD") + Amount(1, 3, "USD")
    ),
    "'1e3' is not a plain decimal number\n"
    '  next: write digits with at most one point, such as "1204.18" or "-0.5"': lambda: parse_units(
        "1e3", 2
    ),
    "'1.005' has 3 decimals, but only 2 can be kept\n  next: give at most 2 decimals": lambda: (
        parse_units("1.005", 2)
    ),
    "-1000000000.01 is too large: an amount is at most 1,000,000,000\n  next: correct the figure": (
        lambda: parse_amount("-1000000000.01")
    ),
    "'15' is not a percentage\n"
    '  next: write it as text with a percent sign, such as "15%"': lambda: parse_percent("15"),
    "money must come as decimal text, got float 1.5\n"
    "  next: write it in quotes, so that no reader makes a float of it": lambda: parse_units(
        1.5, 2
    ),  # type: ignore[arg-type]
    "only integers are rounded, got 1.5 over 2": lambda: half_even(1.5, 2),  # type: ignore[arg-type]
    "the denominator 0 of a rounding must be positive": lambda: format_ratio(1, 0, 4),
    "discount Fraction(3, 2) is not a fraction between 0 and 1\n"
    '  next: write it as a percentage from "0%" to "100%"': lambda: discounted_price(
        7, Fraction(3, 2)
    ),
    "the parts add up to 1/3, which is no whole number": lambda: whole_parts([Fraction(1, 3)]),
    "what leaves 'b' minus what enters it is no whole number": lambda: whole_flow(
        {("a", "b"): Fraction(1, 2)}
    ),
    "2 lines, 2 keys, 1 of them distinct": lambda: cents_of_lines([1, 2], ["a", "a"], ""),
    "empty base: 2 targets and no weight above zero for a total of 5\n"
    "  next: name a fallback target for the whole amount": lambda: apportion(
        5, [0, 0], ["a", "b"], ""
    ),
    "total 5 and floor -1 must be integers, the floor not negative": lambda: apportion(
        5, [1], ["a"], "", floor=-1
    ),
    "1 weights for 2 keys of targets": lambda: apportion(5, [1], ["a", "b"], ""),
    "2 targets have only 1 distinct keys\n"
    "  next: name each target once and add up its weights": lambda: apportion(
        5, [1, 1], ["a", "a"], ""
    ),
    "weights must be integers or fractions, got float, str": lambda: apportion(
        5, [1, 0.5, "1"], ["a", "b", "c"], ""
    ),  # type: ignore[list-item]
    "weight -2 is negative\n"
    "  next: a cost driver counts; take out what is below zero before the split": lambda: apportion(
        5, [1, -2], ["a", "b"], ""
    ),
}


@pytest.mark.parametrize(("said", "refused"), REFUSALS.items())
def test_a_refusal_says_what_is_wrong(said: str, refused: Callable[[], object]) -> None:
    with pytest.raises(MoneyError) as error:
        refused()
    assert str(error.value) == said
