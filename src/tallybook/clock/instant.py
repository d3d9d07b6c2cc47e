"""Instants: text of the outside world to integer microseconds UTC, and back.

Python's own ISO reader takes week dates, bare dates and commas, and takes text without a zone for
local time of the machine. Books must read the same on every machine, so the form is fixed here and
an unknown zone is refused.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from tallybook.errors import ClockError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
US_PER_MS = 1000
US_PER_S = 1_000_000
MICROSECOND_DIGITS = 6
TEXT_CHARACTERS_MAX = 64

INSTANT = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]"
    r"([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.(?P<fraction>[0-9]+))?)?"
    r"(?P<zone>[Zz]|[+-][0-9]{2}:?[0-5][0-9])?"
)


def parse_instant(text: str, zone: ZoneInfo | None = None) -> int:
    """Read an RFC 3339 instant.

    Args:
        text: ``"2026-10-03T10:00:00.123Z"``; an offset such as ``+02:00`` serves as well as ``Z``,
            a space as well as ``T``, and seconds may be absent. Digits below the microsecond are
            cut off.
        zone: where the clock hung that wrote a text without offset. An hour that the zone has
            twice is taken as the first.

    Returns:
        Microseconds since 1970-01-01T00:00:00Z.

    Raises:
        ClockError: the text is no instant, has no offset and no zone was given, or names a local
            time that the zone skipped.
    """
    found = INSTANT.fullmatch(text) if len(text) <= TEXT_CHARACTERS_MAX else None
    if found is None:
        raise ClockError(
            f"{text[:TEXT_CHARACTERS_MAX]!r} is not an instant",
            next_step='write it as "2026-10-03T10:00:00.123Z"',
        )
    fraction = (found["fraction"] or "")[:MICROSECOND_DIGITS].ljust(MICROSECOND_DIGITS, "0")
    year, month, day, hour, minute, second = (int(found[n] or 0) for n in range(1, 7))
    try:
        local = datetime(year, month, day, hour, minute, second, int(fraction))  # noqa: DTZ001 (zone below)
        offset = _offset(found["zone"])
    except ValueError as fault:
        raise ClockError(f"{text!r} is not an instant: {fault}") from fault
    if offset is not None:
        return us_of(local.replace(tzinfo=offset))
    if zone is None:
        raise ClockError(
            f"{text!r} has no zone",
            next_step="end it with Z or an offset, or name the zone of the source",
        )
    return _local_us(local, zone, text)


def format_instant(us: int) -> str:
    """Write an instant as ``"2026-10-03T10:00:00.123Z"``, with six decimals if it needs them.

    Raises:
        ClockError: the instant lies outside the years 1 to 9999.
    """
    second, below = divmod(us, US_PER_S)
    if below % US_PER_MS:
        return f"{_second_text(second)}.{below:06d}Z"
    return f"{_second_text(second)}.{below // US_PER_MS:03d}Z"


@lru_cache(maxsize=64)
def _second_text(second: int) -> str:
    """A second of UTC without its zone; kept, because events are written many to a second."""
    return datetime_of(second * US_PER_S).replace(tzinfo=None).isoformat(timespec="seconds")


def datetime_of(us: int, zone: tzinfo = UTC) -> datetime:
    """The instant as a datetime of a zone, exactly.

    Raises:
        ClockError: the instant lies outside the years 1 to 9999.
    """
    try:
        moment = EPOCH + timedelta(seconds=us // US_PER_S, microseconds=us % US_PER_S)
        return moment.astimezone(zone)
    except OverflowError as fault:
        raise ClockError(f"{us} us lie outside the years 1 to 9999") from fault


def us_of(moment: datetime) -> int:
    """Microseconds since 1970-01-01T00:00:00Z of a datetime with a zone, exactly."""
    return (moment - EPOCH) // MICROSECOND


def _offset(text: str | None) -> timezone | None:
    if text is None:
        return None
    if text in "Zz":
        return UTC
    size = timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
    return timezone(-size if text[0] == "-" else size)


def _local_us(local: datetime, zone: ZoneInfo, text: str) -> int:
    us = us_of(local.replace(tzinfo=zone))
    if datetime_of(us, zone).replace(tzinfo=None) != local:
        raise ClockError(
            f"{text!r} never was: {zone.key} moved its clocks forward over it",
            next_step="name the zone that the source really uses",
        )
    return us
