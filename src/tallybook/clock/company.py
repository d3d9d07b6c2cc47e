"""The company's calendar: which month an instant belongs to, and when its days begin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tallybook.clock.instant import datetime_of
from tallybook.clock.period import MONTHS_PER_YEAR, Period, day_start_us, parse_date
from tallybook.errors import ClockError

SATURDAY: Final = 6


@dataclass(frozen=True, slots=True)
class Calendar:
    """Zone and fiscal year of one company, as the org file states them.

    Args:
        zone_name: IANA name, such as ``"Europe/Berlin"``.
        fiscal_year_start: first month of any one fiscal year, ``"2026-01"``; only its month counts.

    Raises:
        ClockError: the zone is unknown or the month is none.
    """

    zone_name: str
    fiscal_year_start: str

    def __post_init__(self) -> None:
        Period.parse(self.fiscal_year_start)
        try:
            ZoneInfo(self.zone_name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as fault:
            raise ClockError(
                f"{self.zone_name!r} is not a time zone",
                next_step='use an IANA name, such as "UTC" or "Europe/Berlin"',
            ) from fault

    @property
    def zone(self) -> ZoneInfo:
        """The zone of the company."""
        return ZoneInfo(self.zone_name)

    def period_of(self, us: int) -> Period:
        """The period whose bounds hold an instant.

        The bounds decide, not the local date: where clocks go back over midnight at the turn of a
        month, the old date returns for an hour after the new month has begun.

        Raises:
            ClockError: the instant lies before 1970 or after 9998.
        """
        local = datetime_of(us, self.zone)
        period = Period(local.year, local.month)
        start_us, end_us = self.bounds_us(period)
        if us < start_us:
            return period.previous()
        return period if us < end_us else period.next()

    def bounds_us(self, period: Period) -> tuple[int, int]:
        """First instant of a period and first of the next, in microseconds UTC: half-open."""
        return period.bounds_us(self.zone)

    def date_start_us(self, text: str) -> int:
        """First instant of a date such as ``"2026-10-15"``, in microseconds UTC.

        Raises:
            ClockError: the text is no date.
        """
        return day_start_us(parse_date(text), self.zone)

    def date_of(self, us: int) -> str:
        """The date of an instant in the company's zone: ``"2026-10-15"``."""
        return datetime_of(us, self.zone).date().isoformat()

    def is_weekend(self, us: int) -> bool:
        """Whether an instant lies on a Saturday or Sunday of the company's zone."""
        return datetime_of(us, self.zone).isoweekday() >= SATURDAY

    def fiscal_year(self, period: Period) -> int:
        """The fiscal year that holds a period, named after the calendar year in which it ends."""
        first_month = Period.parse(self.fiscal_year_start).month
        begins_later = first_month > 1
        return period.year + (begins_later and period.month >= first_month)

    def fiscal_label(self, period: Period) -> str:
        """Fiscal year and number of the period in it: ``"FY2026 P10"``."""
        first_month = Period.parse(self.fiscal_year_start).month
        number = (period.month - first_month) % MONTHS_PER_YEAR + 1
        return f"FY{self.fiscal_year(period)} P{number:02}"
