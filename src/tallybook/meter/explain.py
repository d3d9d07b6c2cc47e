"""Why a record is no usage event: the slow path, walked only for a record that was refused."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import msgspec

from tallybook.errors import EventError
from tallybook.meter.model import (
    COUNT_MAX,
    FIELDS,
    PURPOSES,
    REQUIRED,
    STATUSES,
    TEXT,
    USAGES,
    WHOLE,
)

_CLOSED = {"usage": USAGES, "status": STATUSES, "purpose": PURPOSES}
_SHOWN_LENGTH = 80
_MONEY = re.compile(r"[0-9]+(\.[0-9]+)?")
_CURRENCY = re.compile(r"[A-Z]{3}")
_COUNT = f"a count is a whole number of 0 or more, at most {COUNT_MAX}"


def shown(value: object) -> str:
    """A value as an error message shows it: JSON, cut when long."""
    try:
        text = msgspec.json.encode(value, order="sorted").decode()
    except (TypeError, ValueError, msgspec.MsgspecError):
        text = repr(value)
    if not isinstance(value, str | dict | list | bool | None):
        text = str(value)  # figures exactly as they were written
    return text if len(text) <= _SHOWN_LENGTH else f"{text[:_SHOWN_LENGTH]}.."


def explain(raw: Mapping[str, object], otherwise: str) -> EventError:
    """The first fault of a record that could not be read.

    Args:
        raw: the record, its instants read already.
        otherwise: what to say when nothing here recognises the fault.
    """
    for fault in _faults(raw):
        return EventError(fault)
    return EventError(otherwise)


def _faults(raw: Mapping[str, object]) -> Iterator[str]:
    for key in raw:
        if key not in FIELDS:
            yield (
                f"{key} is not a field of a usage event;"
                " put what you want to keep under labels, or leave it out"
            )
    for name in REQUIRED:
        if raw.get(name) in (None, ""):
            yield f"{name} is missing; an event needs {', '.join(REQUIRED)}"
    yield from _text_faults(raw)
    yield from _count_faults(raw)
    yield from _map_faults(raw)
    yield from _cost_faults(raw.get("reported_cost"))


def _text_faults(raw: Mapping[str, object]) -> Iterator[str]:
    for name in TEXT:
        value = raw.get(name)
        if value is not None and not isinstance(value, str):
            yield f"{name} is {shown(value)}; it is text"
    if raw.get("supersedes") == "":
        yield "supersedes is empty; it names an event_id, or is left out"
    for name, allowed in _CLOSED.items():
        value = raw.get(name)
        if value is not None and value not in allowed:
            yield f"{name} is {shown(value)}; it is one of {', '.join(allowed)}"


def _count_faults(raw: Mapping[str, object]) -> Iterator[str]:
    for name in WHOLE:
        if not _is_count(raw.get(name)):
            yield f"{name} is {shown(raw[name])}; {_COUNT}"
    attempt = raw.get("attempt")
    if attempt == 0 or not _is_count(attempt):
        yield f"attempt is {shown(attempt)}; it is a whole number of 1 or more"


def _map_faults(raw: Mapping[str, object]) -> Iterator[str]:
    for name in ("tokens", "units", "labels"):
        value = raw.get(name)
        if value is None:
            continue
        if not isinstance(value, dict):
            yield f"{name} is {shown(value)}; it is an object"
            continue
        for key, inner in value.items():
            if key == "":
                yield f"{name} holds an empty name"
            if name == "labels":
                if not isinstance(inner, str):
                    yield f"labels.{key} is {shown(inner)}; it is text"
            elif not _is_count(inner):
                yield f"{name}.{key} is {shown(inner)}; {_COUNT}"


def _cost_faults(cost: object) -> Iterator[str]:
    if cost is None:
        return
    if not isinstance(cost, dict) or cost.keys() != {"amount", "currency"}:
        yield f'reported_cost is {shown(cost)}; it is {{"amount": "0.0052", "currency": "USD"}}'
        return
    amount, currency = cost["amount"], cost["currency"]
    if not isinstance(amount, str) or not _MONEY.fullmatch(amount):
        yield (
            f"reported_cost.amount is {shown(amount)};"
            ' money is text, a plain decimal of 0 or more such as "0.0052"'
        )
    if not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
        yield f"reported_cost.currency is {shown(currency)}; it is three capitals such as USD"


def _is_count(value: object) -> bool:
    return value is None or (type(value) is int and 0 <= value <= COUNT_MAX)
