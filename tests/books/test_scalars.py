import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from tallybook.books import scalars
from tallybook.money import parse_units


def refused(read, value):
    with pytest.raises(PydanticCustomError) as error:
        read(value)
    said = error.value.context
    assert said["expected"]
    assert said["remedy"]
    return said["what"]


@pytest.mark.parametrize("value", ["x", "a b", "ü", 14, 0, -3])
def test_text_takes_text_and_plain_integers(value):
    assert scalars.read_text(value) == str(value)


@pytest.mark.parametrize(
    "value", [None, True, "", "  ", " a", "a\n", "a\tb", "\ud800", "x" * 201, [], {}, ["a"]]
)
def test_text_refuses_what_no_page_can_show(value):
    refused(scalars.read_text, value)


@pytest.mark.parametrize("value", ["0", "4200.00", 4200, "0.000000001", "1000000000"])
def test_money_keeps_its_text(value):
    assert scalars.read_money(value) == str(value)


@pytest.mark.parametrize(
    "value",
    [
        "-1",
        "1e3",
        "1,000",
        "1_000",
        "12.",
        ".5",
        "$5",
        "1000000000.01",
        "0.0000000001",
        "٣",
        ".inf",
    ],
)
def test_money_refuses_what_is_no_plain_amount(value):
    assert value in refused(scalars.read_money, value)


def test_a_price_with_float_noise_is_refused_with_its_figure():
    said = refused(scalars.read_token_price, "0.18000000000000002")
    assert said == '"0.18000000000000002" has 17 decimals, as a binary float leaves them'


@given(st.integers(0, 10**12))
def test_a_token_price_with_six_decimals_is_whole_pico(micros):
    text = f"{micros // 10**6}.{micros % 10**6:06d}"
    assert parse_units(scalars.read_token_price(text), scalars.PRICE_DECIMALS) == micros


def test_unit_prices_have_twelve_decimals():
    assert scalars.read_unit_price("0.000000000001") == "0.000000000001"
    refused(scalars.read_unit_price, "0.0000000000001")


@pytest.mark.parametrize("value", ["0%", "15%", "12.5%", "100%"])
def test_percent(value):
    assert scalars._percent(100)(value) == value


@pytest.mark.parametrize("value", [15, "15", "0.15", "15 %", "-5%", "100.01%", "%", "1e1%"])
def test_percent_wants_its_sign_and_range(value):
    assert str(value) in refused(scalars._percent(100), value)


@pytest.mark.parametrize(
    "value", ["2026-02-29", "2026-13-01", "1999-12-31", "2026-10", "01.10.2026"]
)
def test_dates(value):
    assert scalars.read_date("2028-02-29") == "2028-02-29"
    assert value in refused(scalars.read_date, value)


@pytest.mark.parametrize(
    "value", ["2026-13", "2026-00", "2026-1", "January", "2026-10-01", "1999-12"]
)
def test_months(value):
    assert scalars.read_month("2026-10") == "2026-10"
    assert value in refused(scalars.read_month, value)


def test_instants_are_utc_dates_or_carry_their_zone():
    assert scalars.instant_us(scalars.read_instant("2026-10-01")) == 1790812800000000
    assert scalars.instant_us(scalars.read_instant("2026-10-01T02:00:00+02:00")) == 1790812800000000
    for value in ("2026-10-01T12:00:00", "2026-10-32", "0001-01-01T00:00:00Z", "soon"):
        refused(scalars.read_instant, value)


@pytest.mark.parametrize(
    "value", ["Mars/Base", "localtime", "../etc/passwd", "America", "posix/UTC"]
)
def test_zones(value):
    assert scalars.read_zone("Europe/Berlin") == "Europe/Berlin"
    assert value in refused(scalars.read_zone, value)


@pytest.mark.parametrize("value", [-1, "14", True, None, "1.5"])
def test_counts(value):
    assert scalars.read_count(0) == 0
    refused(scalars.read_count, value)


def test_choice_tells_what_is_later_and_what_was_meant():
    read = scalars.choice(("direct",), {"reciprocal": "no nested pools"})
    assert read("direct") == "direct"
    said = refused(read, "reciprocal")
    assert said == '"reciprocal" is not in this version: no nested pools'
    assert refused(read, "dirct") == '"dirct" is not known (did you mean direct?)'


@pytest.mark.parametrize("value", ["a:b", "-a", "a b", "", "x" * 65, "a/b", "ä"])
def test_ids_fit_into_account_names(value, folder, org_with):
    row = f"{{id: {value!r}, unit: commerce}}"
    assert "org.yaml:5: teams 1, id: " in folder.fault(org=org_with(teams=[row]))
