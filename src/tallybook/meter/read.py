"""Reading one canonical record into a `UsageEvent`, or saying exactly why not."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec

from tallybook.books.meters import TOKEN_CLASSES, TOKEN_CLASSES_INFORMATIVE, TOKEN_CLASSES_VERSION
from tallybook.clock import parse_instant
from tallybook.errors import ClockError, EventError
from tallybook.meter.explain import explain, shown
from tallybook.meter.measure import total_tokens
from tallybook.meter.model import COUNT_MAX, INSTANTS, UsageEvent

_CLASSES = frozenset((*TOKEN_CLASSES, *TOKEN_CLASSES_INFORMATIVE))
_END_US = parse_instant("9998-01-01T00:00:00Z")
_COUNT_SAFE = COUNT_MAX // len(TOKEN_CLASSES)  # no sum of such counts is too large
_SECOND_CHARACTERS = len("2026-10-03T10:00:00")
_MS_CHARACTERS = len(".123Z")
_FRACTION_MAX = 12
_TRACE = ("trace_id", "span_id", "parent_span_id")
_HEX = frozenset("0123456789abcdef")


def read_event(raw: Mapping[str, object], zone: ZoneInfo | None = None) -> UsageEvent:
    """Read one canonical record.

    Args:
        raw: the parsed JSON object, or what a mapping made of a foreign record.
        zone: the zone of instants that state none; without it such an instant is refused.

    Raises:
        EventError: naming the field, the figure found and what is expected.
    """
    fields = dict(raw)
    for name in INSTANTS:
        if name in fields and fields[name] is not None:
            fields[name] = _instant_us(name, fields[name], zone)
    for name in _TRACE:
        value = fields.get(name)
        if type(value) is str and not value.islower():
            lowered = value.lower()
            if lowered != value and _HEX.issuperset(lowered):
                fields[name] = lowered
    try:
        event = msgspec.convert(fields, UsageEvent)
    except msgspec.ValidationError as error:
        raise explain(fields, str(error)) from error
    _check(event)
    return event


def _instant_us(name: str, value: object, zone: ZoneInfo | None) -> int:
    if type(value) is not str:
        raise EventError(
            f"{name} is {shown(value)}; an instant is text",
            next_step="write it as 2026-10-03T10:00:00Z, or import with a mapping that names its"
            " format",
        )
    try:
        return _us_of(value, zone)
    except ClockError as error:
        raise EventError(
            f"{name} is {shown(value)}: {error.what}",
            next_step="write it as 2026-10-03T10:00:00Z, or import with a mapping that names its"
            " zone",
        ) from error


def _us_of(text: str, zone: ZoneInfo | None) -> int:
    """As `parse_instant`; events come in runs, so the second of a UTC instant is read once."""
    tail = text[_SECOND_CHARACTERS:]
    if (
        len(tail) == _MS_CHARACTERS and tail[0] == "." and tail[4] == "Z"
    ):  # what most programs write
        digits, second_us = tail[1:4], _second_us(text[:_SECOND_CHARACTERS])
        if second_us is not None and digits.isascii() and digits.isdigit():
            return second_us + 1000 * int(digits)
    if tail == "Z" or _is_fraction(tail):
        second_us = _second_us(text[:_SECOND_CHARACTERS])
        if second_us is not None:
            return second_us + int(tail[1:-1][:6].ljust(6, "0"))
    return parse_instant(text, zone)


def _is_fraction(tail: str) -> bool:
    """Whether these are decimals of a second of UTC."""
    digits = tail[1:-1]
    dressed = tail[:1] == "." and tail[-1:] == "Z"
    return dressed and len(digits) <= _FRACTION_MAX and digits.isascii() and digits.isdigit()


@lru_cache(maxsize=4096)
def _second_us(text: str) -> int | None:
    """A second of UTC; None where it is none, so that the whole text is read and refused."""
    try:
        return parse_instant(f"{text}Z")
    except ClockError:
        return None


def _check(event: UsageEvent) -> None:
    """What types cannot say."""
    tokens = event.tokens
    if tokens:
        if not _CLASSES.issuperset(tokens):
            raise _unknown_class(tokens)
        for count in tokens.values():
            if count and count > _COUNT_SAFE:
                _check_total(event)
        reasoning, output = tokens.get("reasoning"), tokens.get("output", 0)
        if reasoning and output is not None and reasoning > output:
            raise EventError(
                f"tokens.reasoning is {reasoning}, more than tokens.output, {output};"
                " output includes reasoning"
            )
    if not 0 <= event.started_us < _END_US:
        raise EventError("started_at lies outside the years 1970 to 9997; no period holds it")
    if event.ended_us is not None and event.ended_us < event.started_us:
        raise EventError(
            f"ended_at is {event.started_us - event.ended_us} microseconds before started_at"
        )
    if "\0" in event.source or "\0" in event.event_id:
        raise EventError("event_id or source holds a NUL character; a name is text without it")
    if event.supersedes == event.event_id:
        raise EventError(
            f"event {shown(event.event_id)} supersedes itself",
            next_step="a correction is a new event with an id of its own",
        )


def _check_total(event: UsageEvent) -> None:
    total = total_tokens(event)
    if total > COUNT_MAX:
        raise EventError(f"tokens add up to {total}; a total is at most {COUNT_MAX}")


def _unknown_class(tokens: Mapping[str, object]) -> EventError:
    name = min(tokens.keys() - _CLASSES)
    return EventError(
        f"tokens.{name} is no token class of list {TOKEN_CLASSES_VERSION};"
        f" the classes are {', '.join((*TOKEN_CLASSES, *TOKEN_CLASSES_INFORMATIVE))}",
        next_step="count under one of these classes, or under units",
    )
