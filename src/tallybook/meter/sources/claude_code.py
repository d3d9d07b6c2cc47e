"""Anthropic's Claude Code analytics: what each person or key used in a day, by model.

It is another view of calls: of those that the usage report counts too (``customer_type`` ``api``),
which is believed first where both are in, or of those that a seat pays for (``subscription``),
which never bill. Costs are estimates in cents.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path as FilePath
from typing import Any, Final

from tallybook.clock import parse_instant
from tallybook.errors import ClockError, EventError
from tallybook.meter.explain import shown
from tallybook.meter.identity import Path
from tallybook.meter.sources.buckets import (
    NOT_BILLED,
    Bucket,
    Pages,
    Row,
    an_object,
    count,
    listed,
    plain,
    unfolded,
)

NAME: Final = "claude-code"
PERSONAL: Final[tuple[Path, ...]] = (("email_address",),)
SUBSCRIPTION: Final = "subscription"
_ENDPOINT: Final = "usage_report/claude_code"
_DAY_US: Final = 86_400_000_000
_CLASS_OF: Final = {
    "input": "input_uncached",
    "cache_read": "cache_read",
    "cache_creation": "cache_write",
    "output": "output",
}
_GROUP: Final = (
    "organization_id", "customer_type", "subscription_type", "terminal_type", "is_remote",
)  # fmt: skip
_AMOUNT, _CURRENCY = "estimated_cost.amount", "estimated_cost.currency"
_DIGITS_MAX: Final = 40


def open_files(files: Sequence[FilePath]) -> Pages:
    """Pages of ``/v1/organizations/usage_report/claude_code``.

    Raises:
        EventError: a file cannot be opened; nothing was read.
    """
    return Pages(NAME, files, unfold, translate, personal=PERSONAL)


def unfold(place: str, page: dict[str, Any]) -> Iterator[Row]:
    """A row for each model in each record of a page."""
    return unfolded(place, page, _rows)


def _rows(place: str, record: Any) -> Iterator[Row]:
    held = an_object(record, "a record")
    window, group = _window_us(held), _group(held)
    models = list(listed(place, held.get("model_breakdown"), "model_breakdown"))
    yield from (_row(where, window, group, model) for where, model in models)


def _window_us(record: Mapping[str, Any]) -> tuple[int, int]:
    date = record.get("date")
    try:
        start = parse_instant(date if isinstance(date, str) else "")
    except ClockError as error:
        raise EventError(
            f"date is {shown(date)}: {error.what}",
            next_step="a file of the usage report is: tallybook ingest anthropic-usage FILE",
        ) from error
    return start, start + _DAY_US


def _group(record: Mapping[str, Any]) -> dict[str, str]:
    actor = an_object(record.get("actor"), "an actor")
    told = {name: record.get(name) for name in _GROUP}
    told |= {name: actor.get(name) for name in ("email_address", "api_key_name")}
    return {name: plain(value) for name, value in told.items() if value not in (None, "")}


def _row(place: str, window: tuple[int, int], group: Mapping[str, str], model: Any) -> Row:
    try:
        held = an_object(model, "a model")
        tokens = an_object(held.get("tokens"), "tokens")
        named = {**group, "model": plain(held.get("model"))}
        figures = {name: count(f"tokens.{name}", tokens.get(name)) for name in _CLASS_OF}
        return Bucket(place, _ENDPOINT, *window, named, figures, _cost(held.get("estimated_cost")))
    except EventError as error:
        return place, model, error


def _cost(told: object) -> dict[str, str]:
    if not isinstance(told, dict):
        return {}
    amount, currency = told.get("amount"), told.get("currency")
    return {_AMOUNT: plain(amount), _CURRENCY: plain(currency)}


def translate(bucket: Bucket) -> dict[str, Any]:
    """What a bucket is.

    Raises:
        EventError: its cost is no amount of cents.
    """
    group = bucket.group
    billed = group.get("customer_type") != SUBSCRIPTION
    labels = {name: group[name] for name in (*_GROUP, "api_key_name") if name in group}
    return {
        "provider": "anthropic",
        "model": group["model"],
        "service": NAME,
        "usage": "reported",
        "user": group.get("email_address"),
        "tokens": {_CLASS_OF[name]: figure for name, figure in bucket.figures.items()},
        "labels": labels if billed else {**labels, NOT_BILLED: SUBSCRIPTION},
        "reported_cost": _reported_cost(bucket.told),
    }


def _reported_cost(told: Mapping[str, str]) -> dict[str, str] | None:
    """Cents as the exact amount of the currency: 186 is 1.86."""
    if told.get(_AMOUNT, "null") == "null":
        return None
    try:
        cents = Decimal(told[_AMOUNT])
    except ArithmeticError:
        cents = Decimal("NaN")
    if not cents.is_finite() or cents < 0 or abs(cents.adjusted()) > _DIGITS_MAX:
        raise EventError(f"{_AMOUNT} is {shown(told[_AMOUNT])}; it is an amount of cents")
    return {"amount": format(cents.scaleb(-2), "f"), "currency": told[_CURRENCY].upper()}
