"""Azure: cost details of a customer agreement or an enterprise agreement.

Units of 1K and 1M tokens stand side by side; each row says which. A row in another currency than
the prices carries the rate from pricing to billing currency and its date.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tallybook.errors import InvoiceError
from tallybook.meter.explain import shown
from tallybook.reconcile.model import LineKind, ToldLine
from tallybook.reconcile.read.rows import Row, first
from tallybook.reconcile.read.sku import model_of, tier_of, token_class_of
from tallybook.reconcile.read.told import (
    Ask,
    amount_of,
    asked_window,
    currency_of,
    day_of,
    quantity_of,
    unit_factor,
)

FORM: Final = "azure-costs"
_KINDS: Final = {
    "usage": LineKind.USAGE,
    "purchase": LineKind.COMMITMENT,
    "unusedreservation": LineKind.COMMITMENT,
    "unusedsavingsplan": LineKind.COMMITMENT,
    "refund": LineKind.CREDIT,
    "tax": LineKind.TAX,
    "roundingadjustment": LineKind.ROUNDING,
}
_INFERENCE: Final = ("openai", "cognitive services", "foundry", "ai services", "ai model")


def is_export(row: Mapping[str, Any]) -> bool:
    """Whether a row is one of the cost details."""
    return "costinbillingcurrency" in row and "metername" in row


def read(row: Row, ask: Ask) -> list[ToldLine] | None:
    """The line of a row; None for a service that sells no tokens."""
    place, fields = row
    told = first(fields, "chargetype") or "Usage"
    kind = _KINDS.get(told.lower())
    if not _is_inference(fields):
        return None
    if kind is None:
        raise InvoiceError(f"the charge type is {shown(told)}, which is not known")
    pico, places = amount_of(first(fields, "costinbillingcurrency") or "0", "the cost")
    billing = currency_of(first(fields, "billingcurrency", "billingcurrencycode") or "USD")
    pricing = first(fields, "pricingcurrency", "pricingcurrencycode")
    priced = first(fields, "costinpricingcurrency")
    date, meter = first(fields, "date", "usagedate"), first(fields, "metername")
    start_us, end_us = day_of(date, "the date") if date else asked_window(ask)
    is_usage = kind is LineKind.USAGE
    token_class = token_class_of(meter) if is_usage else ""
    is_foreign = bool(priced) and bool(pricing) and currency_of(pricing) != billing
    return [
        ToldLine(
            place=place,
            kind=kind,
            start_us=start_us,
            end_us=end_us,
            own_pico=pico,
            places=places,
            currency=billing,
            number=first(fields, "invoiceid"),
            account=first(fields, "billingaccountid"),
            product=meter or first(fields, "productname"),
            model=model_of(meter) if is_usage else "",
            token_class=token_class,
            tier=tier_of(meter) or ("standard" if token_class else ""),
            region=first(fields, "resourcelocation", "location", "meterregion").lower(),
            project=first(fields, "subscriptionid"),
            quantity=quantity_of(
                fields.get("quantity") if token_class else None,
                unit_factor(first(fields, "unitofmeasure")),
                "the quantity",
            ),
            rate=first(fields, "exchangeratepricingtobilling") if is_foreign else "",
            rate_date=_rate_day(fields) if is_foreign else "",
            priced_pico=amount_of(priced, "the cost in pricing currency")[0]
            if is_foreign
            else None,
            priced_currency=currency_of(pricing) if is_foreign else "",
            covered=first(fields, "pricingmodel").lower() in ("reservation", "savingsplan"),
            raw=fields,
        )
    ]


def _rate_day(fields: Mapping[str, Any]) -> str:
    return first(fields, "exchangeratedate")


def _is_inference(fields: Mapping[str, Any]) -> bool:
    told = " ".join(
        first(fields, name)
        for name in ("metercategory", "metersubcategory", "consumedservice", "productname")
    ).lower()
    return any(word in told for word in _INFERENCE) or "cognitiveservices" in told
