"""Time: instants in integer microseconds UTC, months in the company's zone, one wall clock."""

from tallybook.clock.company import Calendar
from tallybook.clock.instant import format_instant, parse_instant
from tallybook.clock.now import Clock, FixedClock, SystemClock
from tallybook.clock.period import Period
from tallybook.clock.stopping import Stopping, told_by_signals

__all__ = [
    "Calendar",
    "Clock",
    "FixedClock",
    "Period",
    "Stopping",
    "SystemClock",
    "format_instant",
    "parse_instant",
    "told_by_signals",
]
