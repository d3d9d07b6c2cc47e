from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallybook.clock import format_instant, parse_instant
from tallybook.clock.instant import datetime_of, us_of
from tallybook.errors import ClockError

BERLIN = ZoneInfo("Europe/Berlin")
US_MIN = us_of(datetime(1, 1, 1, tzinfo=UTC))
US_MAX = us_of(datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC))
instants = st.integers(US_MIN, US_MAX)
TEN = us_of(datetime(2026, 10, 3, 10, tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "us"),
    [
        ("2026-10-03T10:00:00Z", TEN),
        ("2026-10-03t10:00:00z", TEN),
        ("2026-10-03 10:00:00+00:00", TEN),
        ("2026-10-03T10:00Z", TEN),
        ("2026-10-03T12:00:00+02:00", TEN),
        ("2026-10-03T12:00:00+0200", TEN),
        ("2026-10-03T04:30:00-05:30", TEN),
        ("2026-10-03T10:00:00.123Z", TEN + 123_000),
        ("2026-10-03T10:00:00.1Z", TEN + 100_000),
        ("2026-10-03T10:00:00.123456999Z", TEN + 123_456),
        ("1970-01-01T00:00:00.000000999Z", 0),
        ("1969-12-31T23:59:59.999999999Z", -1),
    ],
)
def test_parse_instant(text: str, us: int) -> None:
    assert parse_instant(text) == us
    assert parse_instant(text, BERLIN) == us


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-10-03",
        "2026-10-03T10Z",
        "20261003T100000Z",
        "2026-W40-6T10:00:00Z",
        "2026-10-03T10:00:00,5Z",
        "2026-10-03T10:00.5Z",
        "2026-10-03T10:00:00 Z",
        "2026-10-03T10:00:00+02",
        "2026-10-03T10:00:00+02:60",
        "2026-10-03T10:00:00+24:00",
        "2026-10-03T24:00:00Z",
        "2026-10-03T10:00:60Z",
        "2026-02-29T10:00:00Z",
        "2026-13-01T10:00:00Z",
        "0000-01-01T10:00:00Z",
        "1790000000",
        "2026-10-03T10:00:00." + "0" * 100 + "Z",
    ],
)
def test_text_that_is_no_instant_is_refused_by_name(text: str) -> None:
    with pytest.raises(ClockError, match="is not an instant") as refused:
        parse_instant(text, BERLIN)
    assert text[:50] in str(refused.value)


def test_text_without_a_zone_is_refused_by_name() -> None:
    with pytest.raises(ClockError, match="'2026-10-03T10:00:00' has no zone"):
        parse_instant("2026-10-03T10:00:00")


def test_text_without_a_zone_is_read_in_the_zone_of_its_source() -> None:
    assert parse_instant("2026-10-03T12:00:00", BERLIN) == TEN


def test_an_hour_that_comes_twice_is_the_first() -> None:
    twice = parse_instant("2026-10-25T02:30:00", BERLIN)
    assert format_instant(twice) == "2026-10-25T00:30:00.000Z"


def test_an_hour_that_was_skipped_is_refused() -> None:
    with pytest.raises(ClockError, match="Europe/Berlin moved its clocks"):
        parse_instant("2026-03-29T02:30:00", BERLIN)


def test_format_instant() -> None:
    assert format_instant(TEN) == "2026-10-03T10:00:00.000Z"
    assert format_instant(TEN + 123_000) == "2026-10-03T10:00:00.123Z"
    assert format_instant(TEN + 123_001) == "2026-10-03T10:00:00.123001Z"
    assert format_instant(-1) == "1969-12-31T23:59:59.999999Z"


@given(instants)
def test_round_trip(us: int) -> None:
    assert parse_instant(format_instant(us)) == us
    assert us_of(datetime_of(us)) == us


@given(instants)
def test_datetime_of_is_exact(us: int) -> None:
    assert datetime_of(us) - datetime(1970, 1, 1, tzinfo=UTC) == timedelta(microseconds=us)


@pytest.mark.parametrize("us", [US_MIN - 1, US_MAX + 1, 10**30])
def test_instants_beyond_the_calendar_are_refused(us: int) -> None:
    with pytest.raises(ClockError, match="outside the years"):
        format_instant(us)
