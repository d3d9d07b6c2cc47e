"""Tags as gateways keep them, and other plain values of a log, as fields of a canonical record."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

import msgspec

from tallybook.clock import format_instant
from tallybook.errors import ClockError, EventError
from tallybook.meter.explain import shown
from tallybook.meter.model import PURPOSES

Pair = tuple[str, str]

_FIELDS: Final = (
    *("team", "feature", "purpose", "customer", "cohort", "plan", "session", "user"),
    *("environment", "service", "prompt_version", "evaluation_run", "key_id"),
)
_ALIASES: Final = {
    "team_name": "team",
    "team_alias": "team",
    "use_case": "feature",
    "usecase": "feature",
    "customer_id": "customer",
    "tenant": "customer",
    "tenant_id": "customer",
    "session_id": "session",
    "helicone_session_id": "session",
    "user_id": "user",
    "env": "environment",
    "key": "key_id",
}
_FIELD_OF: Final = {name: name for name in _FIELDS} | _ALIASES
"""Tag, in lower case with ``_``, to the field of an event; any other becomes a label."""

_PREFIXES: Final = ("helicone-property-", "helicone_property_", "chargeback.", "tallybook.")
_PURPOSE_ALIASES: Final = {
    "prod": "production",
    "eval": "evaluation",
    "evals": "evaluation",
    "dev": "development",
    "test": "development",
}
_PURPOSE_OF: Final = {name: name for name in PURPOSES} | _PURPOSE_ALIASES
_BARE: Final = "tags"
_FIGURE_MAX: Final = 40
_OFFSET: Final = re.compile(r"[+-][0-9]{2}(:?[0-9]{2})?$")
_DATE_LENGTH: Final = len("2026-10-03")
_MILLISECONDS_FROM: Final = 100_000_000_000  # as seconds, the year 5138
_TEXT_DECODER: Final = msgspec.json.Decoder(float_hook=Decimal)


@lru_cache(maxsize=8192)
def fields_of(pairs: tuple[Pair, ...]) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Fields and labels that tags say, the first of each name standing.

    Args:
        pairs: names in any case and their values, the most telling first. Of tags without a name,
            which come under ``""``, a label ``tags`` lists all.
    """
    fields: dict[str, str] = {}
    labels: dict[str, str] = {}
    bare: dict[str, None] = {}
    for told, value in pairs:
        if not value:
            continue
        name = _plain(told)
        field = _FIELD_OF.get(name)
        if not name:
            bare[value] = None
        elif field == "purpose" and value.lower() not in _PURPOSE_OF:
            labels.setdefault("purpose", value)
        elif field == "purpose":
            fields.setdefault("purpose", _PURPOSE_OF[value.lower()])
        elif field:
            fields.setdefault(field, value)
        else:
            labels.setdefault(name, value)
    if bare:
        labels.setdefault(_BARE, ",".join(bare))
    return fields, labels


def _plain(name: str) -> str:
    plain = name.strip().lower()
    for prefix in _PREFIXES:
        plain = plain.removeprefix(prefix)
    return plain.replace("-", "_").replace(" ", "_").lstrip("_")


def pairs_of(told: object) -> Iterator[Pair]:
    """The tags in a map, a list of ``key:value``, parallel arrays, or JSON text of one of these."""
    if type(told) is str:
        told = parsed(told)
    if isinstance(told, dict):
        keys, values = told.get("key"), told.get("value")
        if isinstance(keys, list) and isinstance(values, list):
            yield from _named(zip(keys, values, strict=False))
        else:
            yield from _named(told.items())
    elif isinstance(told, list):
        for each in told:
            if isinstance(each, str):
                name, colon, value = each.partition(":")
                yield (name, value.strip()) if colon else ("", each)


def _named(items: Iterable[tuple[object, object]]) -> Iterator[Pair]:
    for name, value in items:
        if isinstance(name, str) and (said := text(value)):
            yield name, said


def parsed(told: str) -> object:
    """What JSON text holds; None of text that is none."""
    if not told or told[0] not in "[{":
        return None
    try:
        found: object = _TEXT_DECODER.decode(told)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return found


def unpacked(record: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """A record with objects in place of the JSON text that some of its fields hold."""
    kept = dict(record)
    for name in names:
        told = kept.get(name)
        opened = parsed(told) if isinstance(told, str) else None
        if opened is not None:
            kept[name] = opened
    return kept


def text(value: object) -> str:
    """A plain value as text; '' of what is absent or no plain value."""
    if type(value) is str:
        return value
    if type(value) is bool:
        return "true" if value else "false"
    return str(value) if type(value) in (int, Decimal) else ""


def money(value: object, shift: int = 0) -> str | None:
    """An amount as plain decimal text, exactly; None of what is none.

    Args:
        value: as the log has it.
        shift: decimal places by which its unit is smaller than the currency's: 2 for cents.
    """
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return None
    try:
        figure = Decimal(value)
    except ArithmeticError:
        return None
    if not figure.is_finite() or abs(figure.adjusted()) > _FIGURE_MAX:
        return None
    sign, digits, exponent = figure.as_tuple()
    assert isinstance(exponent, int)
    return format(Decimal((sign, digits, exponent - shift)), "f")


def cost_fields(amount: str | None, currency: str = "USD") -> dict[str, Any]:
    """``reported_cost``, or a label for a cost below zero, which is told and not believed."""
    if amount is None:
        return {}
    if amount.startswith("-"):
        return {"labels": {"reported_cost_refused": f"{amount} {currency}"}}
    return {"reported_cost": {"amount": amount, "currency": currency}}


def instant(value: object, name: str) -> str | None:
    """An instant as RFC 3339 text; without a zone it is UTC. None of what is absent.

    Args:
        value: text, or seconds or milliseconds since 1970.
        name: for the message.

    Raises:
        EventError: it is neither.
    """
    if type(value) is str:
        if not value:
            return None
        if value[-1] in "Zz":
            return value
        offset = _OFFSET.search(value, _DATE_LENGTH)
        if offset is None:
            return f"{value}Z"
        return value if offset[1] else f"{value}:00"  # PostgreSQL writes +00
    if value is None:
        return None
    figure = Decimal(value) if isinstance(value, int | Decimal) else None
    if (
        figure is None
        or isinstance(value, bool)
        or not figure.is_finite()
        or abs(figure.adjusted()) > _FIGURE_MAX
    ):
        raise EventError(f"{name} is {shown(value)}; it is an instant, or seconds since 1970")
    scale = 1000 if abs(figure) >= _MILLISECONDS_FROM else 1_000_000
    numerator, denominator = figure.as_integer_ratio()
    try:
        return format_instant(numerator * scale // denominator)
    except ClockError as error:
        raise EventError(f"{name} is {shown(value)}: {error.what}") from error
