"""A mapping: how one foreign record becomes a canonical one.

It is data, read by `tallybook.meter.mapping_file`; `canonical` carries it out on a record.

A figure keeps the digits that the source wrote: numbers with a fraction or an exponent come as
`decimal.Decimal`, never as floats. What a record lacks stays unknown, never zero, unless the
mapping gives a default.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from zoneinfo import ZoneInfo

from tallybook.clock import format_instant
from tallybook.errors import ClockError, EventError
from tallybook.meter.explain import shown
from tallybook.meter.identity import Path
from tallybook.meter.model import COUNT_MAX, INSTANTS, WHOLE

COST_AMOUNT: Final = "reported_cost.amount"
COST_CURRENCY: Final = "reported_cost.currency"
COUNTS: Final = (*WHOLE, "attempt")

_DIGITS = re.compile(r"[0-9]{1,19}")
_US_PER_STEP = {"epoch_s": 1_000_000, "epoch_ms": 1000}
_FIGURE_DIGITS_MAX = 40


@dataclass(frozen=True, slots=True)
class Pick:
    """Where a field is found: a path, then ``values`` to translate it, then a default."""

    path: Path
    values: Mapping[str, str] = field(default_factory=dict)
    default: str | None = None


@dataclass(frozen=True, slots=True)
class CountPick:
    """Where a count is found: an inclusive total and the parts of it that are counted elsewhere."""

    path: Path
    minus: tuple[Path, ...] = ()
    default: int | None = None


@dataclass(frozen=True, slots=True)
class RecordMap:
    """A checked mapping.

    ``id_paths`` empty means the id is the record's digest and the ordinal of its repetition in the
    file. ``formats`` gives per instant ``rfc3339``, ``epoch_s``, ``epoch_ms`` or a strptime
    pattern.
    """

    source: str
    zone: ZoneInfo | None
    records: Path
    id_paths: tuple[Path, ...]
    formats: Mapping[str, str]
    fields: Mapping[str, Pick]
    constants: Mapping[str, Any]
    tokens: Mapping[str, CountPick]
    units: Mapping[str, CountPick]
    labels: Mapping[str, Pick]

    @property
    def personal(self) -> tuple[Path, ...]:
        """Where records give user and customer."""
        return tuple(self.fields[name].path for name in ("user", "customer") if name in self.fields)

    @property
    def paths(self) -> frozenset[Path]:
        """Every path that the mapping names."""
        counts = (*self.tokens.values(), *self.units.values())
        return frozenset(
            (
                *self.id_paths,
                *(pick.path for pick in (*self.fields.values(), *self.labels.values())),
                *(pick.path for pick in counts),
                *(path for pick in counts for path in pick.minus),
            )
        )


def canonical(record: Mapping[str, Any], mapping: RecordMap, event_id: str) -> dict[str, object]:
    """The canonical record of a foreign one.

    Raises:
        EventError: naming the place in the record, the figure and what is expected.
    """
    raw: dict[str, object] = {"source": mapping.source, "event_id": event_id, **mapping.constants}
    for name, pick in mapping.fields.items():
        value = _translated(record, pick)
        if value is not None:
            raw[name] = _read(name, value, mapping.formats, pick.path)
    amount, currency = raw.pop(COST_AMOUNT, None), raw.pop(COST_CURRENCY, None)
    if amount is not None:
        raw["reported_cost"] = {"amount": amount, "currency": currency}
    for name, picks in (("tokens", mapping.tokens), ("units", mapping.units)):
        if picks:
            counts = {key: _counted(record, pick, f"{name}.{key}") for key, pick in picks.items()}
            raw[name] = {**mapping.constants.get(name, {}), **counts}
    if mapping.labels:
        raw["labels"] = {**mapping.constants.get("labels", {}), **_labels(record, mapping)}
    return raw


def event_id_of(record: Mapping[str, Any], paths: tuple[Path, ...]) -> str:
    """The id that a record gives: its parts joined with ``|``; a ``|`` inside a part is escaped.

    Raises:
        EventError: a part is missing; an id that is partly empty would make two calls one.
    """
    parts = []
    for path in paths:
        value = found(record, path)
        if value is None:
            raise EventError(f"{_named(path)} is missing; the id is made of it")
        parts.append(_text(value, _named(path)))
    if len(parts) == 1:
        return parts[0]
    return "|".join(part.replace("\\", "\\\\").replace("|", "\\|") for part in parts)


def found(record: object, path: Path) -> Any:
    """What lies at a path; None if nothing does, or an empty text."""
    here: Any = record
    for part in path:
        if isinstance(here, Mapping):
            here = here.get(part)
        elif isinstance(here, list) and part.isdecimal() and int(part) < len(here):
            here = here[int(part)]
        else:
            return None
    return None if here == "" else here


def _translated(record: Mapping[str, Any], pick: Pick) -> Any:
    value = found(record, pick.path)
    if value is None:
        return pick.default
    if pick.values:
        known = pick.values.get(value if isinstance(value, str) else str(value))
        if known is not None:
            return known
        if pick.default is not None:
            return pick.default
    return value


def _read(name: str, value: object, formats: Mapping[str, str], path: Path) -> object:
    if name in INSTANTS:
        return _instant(value, formats[name], path)
    if name in COUNTS:
        return _count(value, name)
    return _money(value) if name == COST_AMOUNT else _text(value, name)


def _labels(record: Mapping[str, Any], mapping: RecordMap) -> dict[str, str]:
    labels = {}
    for name, pick in mapping.labels.items():
        value = _translated(record, pick)
        if value is not None:
            labels[name] = _text(value, f"labels.{name}")
    return labels


def _counted(record: Mapping[str, Any], pick: CountPick, name: str) -> int | None:
    value = found(record, pick.path)
    total = pick.default if value is None else _count(value, f"{name}, {_named(pick.path)},")
    if total is None:
        return None
    parts = 0
    for path in pick.minus:
        part = found(record, path)
        parts += 0 if part is None else _count(part, f"{name}, {_named(path)},")
    if parts > total:
        raise EventError(
            f"{name}: {' + '.join(map(_named, pick.minus))} is {parts},"
            f" more than its inclusive total {_named(pick.path)}, {total}",
            next_step="if the source counts them apart, map the total without minus",
        )
    return total - parts


def _count(value: object, name: str) -> int:
    if isinstance(value, str) and _DIGITS.fullmatch(value.strip()):
        value = int(value)
    if type(value) is not int or not 0 <= value <= COUNT_MAX:
        raise EventError(f"{name} is {shown(value)}; a count is a whole number of 0 or more")
    return value


def _text(value: object, name: str) -> str:
    if isinstance(value, str):
        return value
    if type(value) in (int, Decimal):
        return str(value)
    raise EventError(f"{name} is {shown(value)}; it is text or a number")


def _figure(value: object) -> Decimal | None:
    """A number exactly as written; None if it is none, or of a size that no figure here has."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    try:
        figure = Decimal(value)
    except InvalidOperation:
        return None
    if not figure.is_finite() or abs(figure.adjusted()) > _FIGURE_DIGITS_MAX:
        return None
    return figure


def _money(value: object) -> str:
    figure = _figure(value)
    if figure is None:
        raise EventError(f"{COST_AMOUNT} is {shown(value)}; it is a decimal number")
    return format(figure, "f")


def _instant(value: object, form: str, path: Path) -> object:
    if form == "rfc3339":
        return value
    step_us = _US_PER_STEP.get(form)
    if step_us is None:
        return _patterned(value, form, path)
    figure = _figure(value)
    if figure is None:
        raise EventError(f"{_named(path)} is {shown(value)}; it is a number, {form}")
    numerator, denominator = figure.as_integer_ratio()
    try:
        return format_instant(numerator * step_us // denominator)
    except ClockError as error:
        raise EventError(f"{_named(path)} is {shown(value)}: {error.what}") from error


def _patterned(value: object, pattern: str, path: Path) -> str:
    try:
        # The zone is in the pattern, or the mapping's is applied when the instant is read.
        return datetime.strptime(value, pattern).isoformat()  # type: ignore[arg-type] # noqa: DTZ007
    except (TypeError, ValueError) as error:
        raise EventError(
            f"{_named(path)} is {shown(value)}; it is an instant of the form {pattern}"
        ) from error


def _named(path: Path) -> str:
    return ".".join(path)
