"""Anthropic: pages of the cost report, amounts in cents as decimal strings.

Usage on the Priority Tier is not in it: that is paid by commitment. Reconciliation says so, where
such calls were metered (``commitment: priority_tier``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tallybook.errors import InvoiceError
from tallybook.meter.explain import shown
from tallybook.reconcile.model import LineKind, ToldLine
from tallybook.reconcile.read.rows import Row, first, plain
from tallybook.reconcile.read.sku import model_of, token_class_of
from tallybook.reconcile.read.told import CENTS, Ask, amount_of, currency_of, span_of

FORM: Final = "anthropic-costs"
_UNITS: Final = {"web_search": "web_search", "code_execution": "container"}


def is_page(row: Mapping[str, Any]) -> bool:
    """Whether a JSON record is a page of costs."""
    buckets = row.get("data")
    if not isinstance(buckets, list) or row.get("object") == "page":
        return False
    return all(isinstance(one, Mapping) and "starting_at" in one for one in buckets)


def unfolded(rows: Iterator[Row]) -> Iterator[Row]:
    """Rows of costs; a window without amounts is a row as well."""
    for place, page in rows:
        if not is_page(page):
            raise InvoiceError("this is no page of Anthropic's cost report", where=place)
        for number, bucket in enumerate(page["data"], 1):
            window = {"startingat": bucket.get("starting_at"), "endingat": bucket.get("ending_at")}
            yield f"{place}.{number}", dict(window)
            results = bucket.get("results")
            if not isinstance(results, list):
                raise InvoiceError("a bucket has no list of results", where=f"{place}.{number}")
            for order, result in enumerate(results, 1):
                where = f"{place}.{number}.{order}"
                if not isinstance(result, Mapping) or "amount" not in result:
                    raise InvoiceError(
                        f"{shown(result)} stands here, no amount",
                        where=where,
                        next_step="the usage report is for: tallybook ingest anthropic-usage",
                    )
                yield where, {**window, **plain(result)}


def window_of(row: Mapping[str, Any]) -> tuple[int, int]:
    """The span that a row speaks for."""
    return span_of(first(row, "startingat"), first(row, "endingat"), "the bucket")


def read(row: Row, ask: Ask) -> list[ToldLine]:  # noqa: ARG001 - a Reader
    """The line of a row; none where it only says that a day was looked at."""
    place, fields = row
    start_us, end_us = window_of(fields)
    if "amount" not in fields:
        return []
    if not isinstance(fields["amount"], str):
        raise InvoiceError(
            f"the amount is {shown(fields['amount'])}, a number; the cost report states cents in"
            " decimal text, so this file was changed on its way"
        )
    pico, places = amount_of(fields["amount"], "the amount", CENTS)
    told = first(fields, "description")
    cost_type, token_type = first(fields, "costtype"), first(fields, "tokentype")
    return [
        ToldLine(
            place=place,
            kind=LineKind.USAGE,
            start_us=start_us,
            end_us=end_us,
            own_pico=pico,
            places=places,
            currency=currency_of(first(fields, "currency") or "USD"),
            account=first(fields, "organizationid"),
            product=told or cost_type,
            model=first(fields, "model") or (model_of(told) if cost_type == "tokens" else ""),
            token_class=_UNITS.get(cost_type) or token_class_of(token_type or told),
            tier=first(fields, "servicetier"),
            region=first(fields, "inferencegeo"),
            project=first(fields, "workspaceid"),
            note=first(fields, "contextwindow"),
            raw=fields,
        )
    ]
