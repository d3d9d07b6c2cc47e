"""Documented failures of others in telling which day and which month a call belongs to."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest

from company import org, policy, usage
from tallybook.clock import Calendar, Period

YEAR = 2026
HALF_HOUR = timedelta(minutes=30)
MONTHS = [  # zone, month, a day of unusual length in it, its half hours
    ("UTC", "2026-10", "2026-10-25", 48),
    ("Asia/Kolkata", "2026-10", "2026-10-31", 48),
    ("Europe/Berlin", "2026-10", "2026-10-25", 50),
    ("America/New_York", "2026-03", "2026-03-08", 46),
    ("America/New_York", "2026-11", "2026-11-01", 50),
    ("America/Havana", "2026-03", "2026-03-08", 46),
    ("Australia/Lord_Howe", "2026-10", "2026-10-04", 47),
]


def days_of(month: Period) -> list[str]:
    first = date.fromisoformat(month.first_day())
    count = int(month.last_day()[-2:])
    return [str(first + timedelta(days=n)) for n in range(count)]


def local_day(us: int, calendar: Calendar) -> str:
    return str(datetime.fromtimestamp(us // 10**6, calendar.zone).date())


def test_a12_days_make_up_months_and_months_the_year_in_every_zone() -> None:
    """LiteLLM #34896, #29568: single days of a range added up to 1,070.94, the range to 701.39.

    Every zone there is, every day of a year. Ours: each day begins where the one before ended, the
    first of a month with the month, and each instant at a boundary is in the later month only.
    """
    for zone in sorted(available_timezones()):
        calendar = Calendar(zone, "2026-01")
        end_us = calendar.bounds_us(Period(YEAR, 1))[0]
        for number in range(1, 13):
            month = Period(YEAR, number)
            start_us, month_end_us = calendar.bounds_us(month)
            days_us = [calendar.date_start_us(day) for day in days_of(month)]
            assert start_us == end_us == days_us[0], (zone, month)
            assert days_us == sorted(days_us), (zone, month)
            assert days_us[-1] < month_end_us, (zone, month)
            assert [local_day(us, calendar) for us in days_us] == days_of(month), zone
            inside = {calendar.period_of(us) for us in (start_us, month_end_us - 1)}
            assert inside == {month}, zone
            assert calendar.period_of(month_end_us) == month.next(), zone
            end_us = month_end_us


def _company_with_an_owner_a_day(found_company, zone: str, month: Period):
    """The feature changes hands at each midnight, so that the books tell the days apart."""
    days = days_of(month)
    until = [*days[1:], month.next().first_day()]
    teams = "".join(f"  - {{id: d{day[-2:]}, unit: main}}\n" for day in days)
    rows = "".join(
        f"  - {{id: daily, team: d{day[-2:]}, from: {day}, to: {end}}}\n"
        for day, end in zip(days, until, strict=True)
    )
    daily = (
        org(zone)
        .replace("features:\n", f"features:\n{rows}")
        .replace("teams:\n", f"teams:\n{teams}", 1)
    )
    return found_company(org=daily, policy=policy("2020-01"), timezone=zone)


@pytest.mark.parametrize(("zone", "month", "odd", "half_hours"), MONTHS)
def test_a12_the_sum_of_the_days_is_the_month(found_company, zone, month, odd, half_hours):
    """LiteLLM #34896, #29568: an offset stripped on the way, and a day counted with its neighbour.

    A call of 1.00 in every half hour from a day before the month to a day after it, written with
    the zone's own offset. Ours: each day is charged its own half hours, 46 to 50 of them where
    clocks change, and the days add up to the month.
    """
    period = Period.parse(month)
    company = _company_with_an_owner_a_day(found_company, zone, period)
    start_us, end_us = Calendar(zone, "2026-01").bounds_us(period)
    count = (end_us - start_us) // (30 * 60 * 10**6)
    first = datetime.fromtimestamp(start_us // 10**6, UTC)
    moments = [first + n * HALF_HOUR for n in range(-48, count + 48)]
    local = [moment.astimezone(ZoneInfo(zone)) for moment in moments]
    company.ingest(
        *(
            usage(f"e-{n}", team=None, feature="daily", started_at=moment.isoformat())
            for n, moment in enumerate(local)
        )
    )
    company.run(month)
    expected = Counter(str(moment.date()) for moment in local if str(moment.date())[:7] == month)
    held = company.balances(month)
    charged = {day: held.get(f"Charge:d{day[-2:]}:usage") for day in days_of(period)}
    assert charged == {day: f"{calls}.00" for day, calls in expected.items()}
    assert expected[odd] == half_hours
    assert held["Accrued:X"] == f"-{sum(expected.values())}.00"
    assert sum(expected.values()) == count
