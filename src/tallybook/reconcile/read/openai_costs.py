"""OpenAI: pages of the Costs API, and the cost export of the dashboard.

Both state amounts by UTC day, and more only if they were asked to group: a line item such as
``gpt-4o-2024-08-06, cached input``, a project, a key. A day without an amount is a day that was
billed at nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tallybook.errors import InvoiceError
from tallybook.meter.explain import shown
from tallybook.reconcile.model import LineKind, ToldLine
from tallybook.reconcile.read.rows import Row, first, plain
from tallybook.reconcile.read.sku import tier_of, token_class_of
from tallybook.reconcile.read.told import (
    Ask,
    amount_of,
    currency_of,
    quantity_of,
    span_of,
    unit_factor,
)

FORM: Final = "openai-costs"
_UNITS: Final = ("web_search", "file_search", "container")
_KINDS: Final = {
    "tax": LineKind.TAX,
    "credit": LineKind.CREDIT,
    "discount": LineKind.DISCOUNT,
}


def is_page(row: Mapping[str, Any]) -> bool:
    """Whether a JSON record is a page of costs."""
    buckets = row.get("data")
    return isinstance(buckets, list) and row.get("object") == "page"


def is_export(row: Mapping[str, Any]) -> bool:
    """Whether a row is one of the dashboard's cost export."""
    return "amountvalue" in row and "starttime" in row


def unfolded(rows: Iterator[Row]) -> Iterator[Row]:
    """Rows of costs, out of pages or as they are; a window without amounts is a row as well."""
    for place, row in rows:
        if not is_page(row):
            yield place, row
            continue
        for number, bucket in enumerate(row["data"], 1):
            held = plain(bucket) if isinstance(bucket, Mapping) else {}
            results = held.get("results", held.get("result"))
            if not isinstance(results, list):
                raise InvoiceError("a bucket has no list of results", where=f"{place}.{number}")
            window = {name: held.get(name) for name in ("starttime", "endtime")}
            yield f"{place}.{number}", dict(window)
            for order, result in enumerate(results, 1):
                where = f"{place}.{number}.{order}"
                if not isinstance(result, Mapping):
                    raise InvoiceError(f"{shown(result)} stands here, no result", where=where)
                yield where, {**window, **plain(result)}


def window_of(row: Mapping[str, Any]) -> tuple[int, int]:
    """The span that a row speaks for."""
    start = first(row, "starttime", "starttimeiso")
    return span_of(start, first(row, "endtime", "endtimeiso"), "the bucket")


def read(row: Row, ask: Ask) -> list[ToldLine]:  # noqa: ARG001 - a Reader
    """The line of a row; none where it only says that a day was looked at."""
    place, fields = row
    start_us, end_us = window_of(fields)
    amount = first(fields, "amountvalue")
    if not amount:
        return []
    if str(fields.get("object", "")).startswith("organization.usage"):
        raise InvoiceError("this is usage, not costs; tallybook ingest openai-usage reads it")
    pico, places = amount_of(amount, "the amount")
    item = first(fields, "lineitem")
    model, token_class = _model_and_class(item)
    unit = first(fields, "quantityunit")
    quantity = quantity_of(fields.get("quantity"), unit_factor(unit), "the quantity")
    words = item.lower().split()
    return [
        ToldLine(
            place=place,
            kind=next((kind for word, kind in _KINDS.items() if word in words), LineKind.USAGE),
            start_us=start_us,
            end_us=end_us,
            own_pico=pico,
            places=places,
            currency=currency_of(first(fields, "amountcurrency") or "usd"),
            account=first(fields, "organizationid"),
            product=item,
            model=model,
            token_class=token_class,
            tier=tier_of(item),
            key_id=first(fields, "apikeyid"),
            project=first(fields, "projectid"),
            quantity=quantity,
            raw=fields,
        )
    ]


def _model_and_class(item: str) -> tuple[str, str]:
    """``gpt-4o, cached input`` is a model and a class; a tool has no model."""
    token_class = token_class_of(item.partition(",")[2] or item)
    if token_class in _UNITS:
        return "", token_class
    parts = [part.strip() for part in item.split(",")]
    named = [part for part in parts if not tier_of(part) and not token_class_of(part)]
    return (named or parts)[0].removeprefix("batch ").strip(), token_class
