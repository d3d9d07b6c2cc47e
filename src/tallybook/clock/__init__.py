"""Time: instants in integer microseconds UTC, months in the company's zone, one wall clock."""

from tallybook.clock.company import Calendar
from tallybook.clock.instant import format_instant, parse_instant
from tallybook.clock.now import Clock, FixedClock, SystemClock
from tallybook.clock.period import Period

__all__ = [
    "Calendar",
    "Clock",
    "FixedClock",
    "Period",
    "SystemClock",
    "format_instant",
    "parse_instant",
]
