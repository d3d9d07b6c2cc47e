from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallybook.clock import Period, parse_instant
from tallybook.clock.period import day_start_us, parse_date
from tallybook.errors import ClockError

UTC = ZoneInfo("UTC")
HOUR_US = 3_600_000_000
periods = st.builds(Period, st.integers(1971, 9997), st.integers(1, 12))


def test_text_of_a_period() -> None:
    assert Period.parse("2026-10") == Period(2026, 10)
    assert str(Period(2026, 3)) == "2026-03"


@pytest.mark.parametrize(
    "text", ["", "2026", "2026-1", "2026-00", "2026-13", "2026-10-01", "1969-12", "9999-01", "x"]
)
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(ClockError, match="is not a period"):
        Period.parse(text)


def test_neighbours_and_order() -> None:
    assert Period(2026, 12).next() == Period(2027, 1)
    assert Period(2026, 1).previous() == Period(2025, 12)
    assert Period(2025, 12) < Period(2026, 1) < Period(2026, 2)
    with pytest.raises(ClockError):
        Period(1970, 1).previous()
    with pytest.raises(ClockError):
        Period(9998, 12).next()


def test_dates_and_label() -> None:
    assert Period(2026, 10).first_day() == "2026-10-01"
    assert Period(2026, 10).last_day() == "2026-10-31"
    assert Period(2028, 2).last_day() == "2028-02-29"
    assert Period(2026, 10).label() == "October 2026"


def test_bounds_are_local_midnights() -> None:
    start_us, end_us = Period(2026, 10).bounds_us(ZoneInfo("Europe/Berlin"))
    assert start_us == parse_instant("2026-09-30T22:00:00Z")
    assert end_us == parse_instant("2026-10-31T23:00:00Z")
    assert end_us - start_us == (31 * 24 + 1) * HOUR_US


@given(periods)
def test_round_trips(period: Period) -> None:
    assert Period.parse(str(period)) == period
    assert period.next().previous() == period
    assert period < period.next()


@pytest.mark.parametrize(
    ("zone_name", "day", "start"),
    [
        ("UTC", "2026-10-15", "2026-10-15T00:00:00Z"),
        ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z"),
        ("Africa/Cairo", "2024-04-26", "2024-04-25T22:00:00Z"),  # 00:00 jumps to 01:00
        ("America/Havana", "2024-11-03", "2024-11-03T04:00:00Z"),  # 01:00 goes back to 00:00
        ("America/Sao_Paulo", "2019-02-17", "2019-02-17T03:00:00Z"),  # 24:00 goes back to 23:00
        ("America/Toronto", "1919-03-31", "1919-03-31T04:30:00Z"),  # 23:30 jumps to 00:30
        ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z"),  # this day was left out
        ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z"),
        ("America/St_Johns", "2009-11-01", "2009-11-01T02:30:00Z"),  # 00:01 goes back to 23:01
    ],
)
def test_a_day_starts_where_its_zone_says(zone_name: str, day: str, start: str) -> None:
    assert day_start_us(parse_date(day), ZoneInfo(zone_name)) == parse_instant(start)


@pytest.mark.parametrize("text", ["2026-10", "2026-02-30", "20261015", "2026-W40-1", ""])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ClockError, match="is not a date"):
        parse_date(text)


def test_parse_date() -> None:
    assert parse_date("2026-10-15") == date(2026, 10, 15)
