"""A period: one calendar month of the company, the unit that is charged and closed."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from tallybook.clock.instant import datetime_of, us_of
from tallybook.errors import ClockError

PERIOD = re.compile(r"([0-9]{4})-([0-9]{2})")
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
MONTHS_PER_YEAR = 12
YEAR_MIN = 1970
YEAR_MAX = 9998
MONTH_NAMES = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """One month, ordered by time; ``str`` gives ``"2026-10"``.

    Args:
        year: 1970 to 9998.
        month: 1 to 12.

    Raises:
        ClockError: there is no such month.
    """

    year: int
    month: int

    def __post_init__(self) -> None:
        if not (YEAR_MIN <= self.year <= YEAR_MAX and 1 <= self.month <= MONTHS_PER_YEAR):
            raise ClockError(
                f"year {self.year}, month {self.month} is not a period",
                next_step=f"use 01 to 12 of the years {YEAR_MIN} to {YEAR_MAX}",
            )

    @classmethod
    def parse(cls, text: str) -> Period:
        """Read ``"2026-10"``.

        Raises:
            ClockError: the text has another form or there is no such month.
        """
        found = PERIOD.fullmatch(text)
        if found is None:
            raise ClockError(
                f"{text!r} is not a period", next_step='write year and month, such as "2026-10"'
            )
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}"

    def next(self) -> Period:
        """The month after."""
        return self._shifted(1)

    def previous(self) -> Period:
        """The month before."""
        return self._shifted(-1)

    def bounds_us(self, zone: ZoneInfo) -> tuple[int, int]:
        """First instant of this month and first of the next, in microseconds UTC: half-open."""
        following = date(self.year, self.month, self._days()) + timedelta(days=1)
        return day_start_us(date(self.year, self.month, 1), zone), day_start_us(following, zone)

    def first_day(self) -> str:
        """The first date, ``"2026-10-01"``."""
        return f"{self}-01"

    def last_day(self) -> str:
        """The last date, ``"2026-10-31"``."""
        return f"{self}-{self._days():02}"

    def label(self) -> str:
        """The month in words, ``"October 2026"``; English on every machine."""
        return f"{MONTH_NAMES[self.month - 1]} {self.year}"

    def _days(self) -> int:
        return calendar.monthrange(self.year, self.month)[1]

    def _shifted(self, months: int) -> Period:
        years, month = divmod(
            self.year * MONTHS_PER_YEAR + self.month - 1 + months, MONTHS_PER_YEAR
        )
        return Period(years, month + 1)


def parse_date(text: str) -> date:
    """Read ``"2026-10-15"``.

    Raises:
        ClockError: the text has another form or there is no such day.
    """
    if DATE.fullmatch(text) is None:
        raise ClockError(f"{text!r} is not a date", next_step='write it as "2026-10-15"')
    try:
        return date.fromisoformat(text)
    except ValueError as fault:
        raise ClockError(f"{text!r} is not a date: {fault}") from fault


def day_start_us(day: date, zone: ZoneInfo) -> int:
    """First instant, in microseconds UTC, at which a zone has reached a date.

    Midnight, except where clocks jump over it: then the jump. Where midnight comes twice, the
    first. A day that a zone left out starts and ends at the same instant.
    """
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    latest = us_of(midnight)
    earliest = us_of(midnight.replace(fold=1))
    # Outside a jump both readings agree, or the second one is the later of a midnight that comes
    # twice. Inside a jump the second is the earlier, and the jump lies between the two.
    before = earliest - 1
    while latest - before > 1:
        middle = (before + latest) // 2
        if _local_day(middle, zone) >= day:
            latest = middle
        else:
            before = middle
    return latest


def _local_day(us: int, zone: ZoneInfo) -> date:
    return datetime_of(us, zone).date()
