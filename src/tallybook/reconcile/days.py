"""In which month a span of an invoice is billed: a provider's day is UTC, the company's is not.

A UTC day is of the month that holds the instant before its noon, a span of the month of the UTC day
in its middle. An hour, a day and a month go by this one law, where lines are grouped to invoices as
where they are reconciled.
"""

from __future__ import annotations

from typing import Final

from tallybook.clock import Calendar, Period
from tallybook.reconcile.model import DAY_US

_HALF_DAY_US: Final = DAY_US // 2


def billing_days(start_us: int, end_us: int) -> tuple[int, int]:
    """The UTC days that providers bill as a month: the first one, and the end of the last.

    Args:
        start_us: the first instant of the month in the company's zone.
        end_us: the one after its last.
    """
    first, last = start_us + _HALF_DAY_US, end_us + _HALF_DAY_US
    return first - first % DAY_US, last - last % DAY_US


def billing_day(start_us: int, end_us: int) -> int:
    """The UTC day in the middle of the UTC days of a span, by its first instant."""
    start, end = start_us - start_us % DAY_US, end_us + -end_us % DAY_US
    middle = start + (end - start) // 2
    return middle - middle % DAY_US


def period_of_span(calendar: Calendar, start_us: int, end_us: int) -> Period:
    """The month that a span is billed in: the one whose `billing_days` hold its `billing_day`."""
    return calendar.period_of(billing_day(start_us, end_us) + _HALF_DAY_US - 1)
