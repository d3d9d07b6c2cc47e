"""Google: the billing export of BigQuery, as JSON lines, CSV or Parquet.

A row is a product's use in an hour, in the month of an invoice that may be a later one. Credits
hang below the row that they are for and become lines of their own. Corrections are negative rows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final

from tallybook.errors import InvoiceError
from tallybook.meter.explain import shown
from tallybook.money import exchanged, parse_rate
from tallybook.reconcile.model import LineKind, ToldLine
from tallybook.reconcile.read.rows import Row, figure, first, json_list
from tallybook.reconcile.read.sku import model_of, tier_of, token_class_of
from tallybook.reconcile.read.told import (
    Ask,
    amount_of,
    currency_of,
    quantity_of,
    span_of,
    unit_factor,
)

FORM: Final = "google-billing"
PRICES_IN: Final = "USD"
_KINDS: Final = {
    "regular": LineKind.USAGE,
    "tax": LineKind.TAX,
    "adjustment": LineKind.CREDIT,
    "roundingerror": LineKind.ROUNDING,
}
_CREDITS: Final = {
    "COMMITTED_USAGE_DISCOUNT": LineKind.COMMITMENT,
    "COMMITTED_USAGE_DISCOUNT_DOLLAR_BASE": LineKind.COMMITMENT,
    "SUBSCRIPTION_BENEFIT": LineKind.COMMITMENT,
    "FEE_UTILIZATION_OFFSET": LineKind.COMMITMENT,
    "SUSTAINED_USAGE_DISCOUNT": LineKind.DISCOUNT,
    "DISCOUNT": LineKind.DISCOUNT,
    "RESELLER_MARGIN": LineKind.DISCOUNT,
    "FREE_TIER": LineKind.FREE_QUOTA,
    "PROMOTION": LineKind.CREDIT,
}
_INFERENCE: Final = ("vertex", "gemini", "generative", "ai platform", "cloud ai", "agent platform")
_MODEL = re.compile(
    r"\b(?:gemini|claude|llama|mistral|imagen|veo|gemma)\b[ -]?[\w. -]*", re.IGNORECASE
)


def is_export(row: Mapping[str, Any]) -> bool:
    """Whether a row is one of the billing export."""
    return {"servicedescription", "skudescription", "cost"} <= row.keys()


def read(row: Row, ask: Ask) -> list[ToldLine] | None:  # noqa: ARG001 - a Reader
    """The lines of a row, its credits included; None for a service that sells no tokens."""
    place, fields = row
    if not any(word in first(fields, "servicedescription").lower() for word in _INFERENCE):
        return None
    told = first(fields, "costtype") or "regular"
    kind = _KINDS.get(told.replace("_", "").lower())
    if kind is None:
        raise InvoiceError(f"the cost type is {shown(told)}, which is not known")
    span = span_of(first(fields, "usagestarttime"), first(fields, "usageendtime"), "the usage")
    lines = [_line(place, fields, kind, span)]
    for number, credit in enumerate(json_list(fields.get("credits")), 1):
        lines.append(_credit(f"{place}.{number}", fields, credit, span))
    return lines


def _line(place: str, fields: Mapping[str, Any], kind: LineKind, span: tuple[int, int]) -> ToldLine:
    pico, places = amount_of(first(fields, "cost") or "0", "the cost")
    sku = first(fields, "skudescription")
    is_usage = kind is LineKind.USAGE
    token_class = token_class_of(sku) if is_usage else ""
    unit = first(fields, "usageunit")
    stated = fields.get("usageamount")
    factor = unit_factor(unit)
    if unit.lower() not in ("count", "tokens", "token", "requests") and factor == 1:
        stated, unit = fields.get("usageamountinpricingunits"), first(fields, "usagepricingunit")
        factor = unit_factor(unit)
    return ToldLine(
        place=place,
        kind=kind,
        start_us=span[0],
        end_us=span[1],
        own_pico=pico,
        places=places,
        product=sku,
        model=_model(sku) if is_usage else "",
        token_class=token_class,
        tier=tier_of(sku) or ("standard" if token_class else ""),
        region=first(fields, "locationregion", "locationlocation"),
        project=first(fields, "projectid"),
        quantity=quantity_of(stated if token_class else None, factor, "the usage amount"),
        raw=fields,
        **_bill(fields, pico),
    )


def _credit(
    place: str, fields: Mapping[str, Any], credit: Mapping[str, Any], span: tuple[int, int]
) -> ToldLine:
    kind = _CREDITS.get(first(credit, "type").upper(), LineKind.CREDIT)
    pico, places = amount_of(first(credit, "amount") or "0", "the credit")
    return ToldLine(
        place=place,
        kind=kind,
        start_us=span[0],
        end_us=span[1],
        own_pico=pico,
        places=places,
        product=first(credit, "fullname", "name", "type"),
        project=first(fields, "projectid"),
        raw=credit,
        **_bill(fields, pico),
    )


def _bill(fields: Mapping[str, Any], pico: int) -> dict[str, Any]:
    """Whose bill, of which month, and the amount in the currency of the prices."""
    currency = currency_of(first(fields, "currency") or PRICES_IN)
    found: dict[str, Any] = {
        "currency": currency,
        "number": first(fields, "invoicemonth"),
        "account": first(fields, "billingaccountid"),
    }
    told = first(fields, "currencyconversionrate")
    if told and currency != PRICES_IN:
        rate = parse_rate(figure(told, "the conversion rate"))
        found["rate"], found["priced_currency"] = figure(told, "the rate"), PRICES_IN
        found["rate_date"] = first(fields, "exporttime")[:10]
        found["priced_pico"] = exchanged(pico, Fraction(rate.denominator, rate.numerator))
    return found


def _model(sku: str) -> str:
    found = _MODEL.search(sku)
    return model_of(found[0]) if found else model_of(sku)
