from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallybook.errors import MoneyError
from tallybook.money import format_cents, format_units, parse_percent, parse_rate, parse_units


@pytest.mark.parametrize(
    ("text", "scale", "units"),
    [
        ("150.00", 2, 15_000),
        ("-0.5", 2, -50),
        ("7", 0, 7),
        ("7", 12, 7 * 10**12),
        ("0.000000000001", 12, 1),
        ("-0.00", 2, 0),
        ("007.1", 1, 71),
    ],
)
def test_parse_units(text: str, scale: int, units: int) -> None:
    assert parse_units(text, scale) == units


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        ".5",
        "5.",
        "1_000",
        "1,000.00",
        "1e3",
        "+1",
        " 1",
        "1 ",
        "1\n",
        "NaN",
        "\u0661",
        "--1",
    ],
)
def test_text_that_is_no_plain_decimal_is_refused(text: str) -> None:
    with pytest.raises(MoneyError, match="not a plain decimal"):
        parse_units(text, 2)


def test_more_decimals_than_the_scale_are_refused_with_the_figures() -> None:
    with pytest.raises(MoneyError, match=r"'1\.005' has 3 decimals, but only 2 can be kept"):
        parse_units("1.005", 2)


@pytest.mark.parametrize("number", [1.5, 1, Decimal("1.5"), None, True])
def test_only_text_is_read(number: object) -> None:
    with pytest.raises(MoneyError, match="decimal text, got"):
        parse_units(number, 2)  # type: ignore[arg-type]


def test_text_of_sixty_four_characters_is_read_and_no_longer_one() -> None:
    assert parse_units("9" * 64, 0) == 10**64 - 1
    with pytest.raises(MoneyError, match="not a plain decimal"):
        parse_units("9" * 65, 0)


def test_endless_text_is_refused_and_not_repeated() -> None:
    with pytest.raises(MoneyError) as refused:
        parse_units("9" * 5000, 2)
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize(
    ("units", "scale", "text"),
    [(-1250, 2, "-12.50"), (5, 2, "0.05"), (0, 2, "0.00"), (-5, 9, "-0.000000005"), (-7, 0, "-7")],
)
def test_format_units(units: int, scale: int, text: str) -> None:
    assert format_units(units, scale) == text


@given(st.integers(-(10**40), 10**40), st.integers(min_value=0, max_value=18))
def test_text_round_trip(units: int, scale: int) -> None:
    text = format_units(units, scale)
    assert parse_units(text, scale) == units
    assert Fraction(text) == Fraction(units, 10**scale)


@pytest.mark.parametrize(
    ("cents", "plain", "grouped"),
    [
        (120_418, "1204.18", "1,204.18"),
        (-120_418, "-1204.18", "-1,204.18"),
        (-5, "-0.05", "-0.05"),
        (0, "0.00", "0.00"),
        (123_456_789_00, "123456789.00", "123,456,789.00"),
    ],
)
def test_format_cents(cents: int, plain: str, grouped: str) -> None:
    assert format_cents(cents) == plain
    assert format_cents(cents, grouped=True) == grouped


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("15%", Fraction(3, 20)),
        ("12.5%", Fraction(1, 8)),
        ("0%", Fraction(0)),
        ("-1.5%", Fraction(-3, 200)),
    ],
)
def test_parse_percent(text: str, share: Fraction) -> None:
    assert parse_percent(text) == share


@pytest.mark.parametrize("text", ["15", "%", "15 %", "15%%", "1e1%", "", 0.15, 15, None])
def test_what_is_no_percentage_is_refused(text: object) -> None:
    with pytest.raises(MoneyError):
        parse_percent(text)  # type: ignore[arg-type]


def test_a_rate_is_exact_and_above_zero() -> None:
    assert parse_rate("1.0842") == Fraction(10842, 10000)
    for text in ("0", "0.000", "-1.1", "1,1", ""):
        with pytest.raises(MoneyError):
            parse_rate(text)
