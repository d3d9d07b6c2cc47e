from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallybook.clock import Calendar, Period, parse_instant
from tallybook.errors import ClockError

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",
    "America/Sao_Paulo",
    "Africa/Cairo",
    "Asia/Kolkata",
    "Asia/Tehran",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Kiritimati",
]
calendars = st.builds(
    Calendar, st.sampled_from(ZONES), st.sampled_from(["2026-01", "2025-07", "2025-10"])
)
instants = st.integers(10**12 * 100, 10**12 * 8000)
BERLIN = Calendar("Europe/Berlin", "2026-01")


@given(calendars, instants)
def test_each_instant_is_in_the_one_period_whose_bounds_hold_it(
    calendar: Calendar, us: int
) -> None:
    period = calendar.period_of(us)
    start_us, end_us = calendar.bounds_us(period)
    assert start_us <= us < end_us
    assert calendar.bounds_us(period.next())[0] == end_us
    assert calendar.period_of(start_us) == period
    assert calendar.period_of(end_us) == period.next()
    assert calendar.period_of(end_us - 1) == period


@given(calendars, st.integers(1980, 2200), st.integers(1, 12))
def test_the_days_of_a_period_tile_it(calendar: Calendar, year: int, month: int) -> None:
    period = Period(year, month)
    first, last = date.fromisoformat(period.first_day()), date.fromisoformat(period.last_day())
    days = [first + timedelta(days=step) for step in range((last - first).days + 2)]
    starts = [calendar.date_start_us(day.isoformat()) for day in days]
    assert starts == sorted(starts)
    assert (starts[0], starts[-1]) == calendar.bounds_us(period)


def test_the_zone_decides_the_period() -> None:
    us = parse_instant("2026-10-31T23:30:00Z")
    assert Calendar("UTC", "2026-01").period_of(us) == Period(2026, 10)
    assert BERLIN.period_of(us) == Period(2026, 11)


def test_a_month_that_begins_twice_begins_once() -> None:
    """St. John's went from 00:01 on 1 November 2009 back to 23:01 on 31 October."""
    calendar = Calendar("America/St_Johns", "2026-01")
    start_us, _ = calendar.bounds_us(Period(2009, 11))
    half_an_hour_us = 1_800_000_000
    assert calendar.period_of(start_us - 1) == Period(2009, 10)
    assert calendar.period_of(start_us + half_an_hour_us) == Period(2009, 11)


def test_date_start() -> None:
    assert BERLIN.date_start_us("2026-10-15") == parse_instant("2026-10-14T22:00:00Z")
    with pytest.raises(ClockError, match="is not a date"):
        BERLIN.date_start_us("15.10.2026")


@pytest.mark.parametrize(
    ("start", "period", "year", "label"),
    [
        ("2026-01", "2026-10", 2026, "FY2026 P10"),
        ("2026-01", "2025-12", 2025, "FY2025 P12"),
        ("2025-07", "2025-06", 2025, "FY2025 P12"),
        ("2025-07", "2025-07", 2026, "FY2026 P01"),
        ("2025-07", "2026-06", 2026, "FY2026 P12"),
        ("2025-10", "2026-10", 2027, "FY2027 P01"),
    ],
)
def test_fiscal_year(start: str, period: str, year: int, label: str) -> None:
    calendar = Calendar("UTC", start)
    assert calendar.fiscal_year(Period.parse(period)) == year
    assert calendar.fiscal_label(Period.parse(period)) == label


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../../etc/passwd", "Europe"])
def test_an_unknown_zone_is_refused(name: str) -> None:
    with pytest.raises(ClockError, match="is not a time zone"):
        Calendar(name, "2026-01")


def test_a_fiscal_year_starts_with_a_month() -> None:
    with pytest.raises(ClockError, match="is not a period"):
        Calendar("UTC", "January")


def test_instants_before_1970_have_no_period() -> None:
    with pytest.raises(ClockError, match="is not a period"):
        BERLIN.period_of(parse_instant("1969-12-31T12:00:00Z"))


def test_instants_after_the_last_year_have_no_period() -> None:
    last_us = parse_instant("9999-12-31T23:59:59Z")
    for zone_name in ("UTC", "Pacific/Kiritimati"):
        with pytest.raises(ClockError):
            Calendar(zone_name, "2026-01").period_of(last_us)


def test_a_weekend_is_saturday_and_sunday_of_the_company_zone():
    def is_weekend(text):
        return BERLIN.is_weekend(parse_instant(text))

    assert not is_weekend("2026-10-02T21:59:59Z")
    assert is_weekend("2026-10-02T22:00:00Z")
    assert BERLIN.date_of(parse_instant("2026-10-02T22:00:00Z")) == "2026-10-03"
    assert is_weekend("2026-10-04T21:59:59Z")
    assert not is_weekend("2026-10-04T22:00:00Z")
