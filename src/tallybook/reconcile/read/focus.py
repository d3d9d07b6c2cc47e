"""FOCUS 1.0 to 1.4, from any provider: what was billed (``BilledCost``), not what was amortised.

Usage that a commitment covers is billed at zero and says so by its effective cost. A correction
keeps the period of what it corrects.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from tallybook.errors import InvoiceError
from tallybook.meter.explain import shown
from tallybook.reconcile.model import LineKind, ToldLine
from tallybook.reconcile.read.rows import Row, figure, first, plain
from tallybook.reconcile.read.sku import model_of, tier_of, token_class_of
from tallybook.reconcile.read.told import (
    Ask,
    amount_of,
    currency_of,
    quantity_of,
    span_of,
    unit_factor,
)

FORM: Final = "focus"
_KINDS: Final = {
    "usage": LineKind.USAGE,
    "purchase": LineKind.FEE,
    "tax": LineKind.TAX,
    "credit": LineKind.CREDIT,
    "adjustment": LineKind.OTHER,
}
_AI: Final = "ai and machine learning"
_WORDS: Final = ("bedrock", "openai", "anthropic", "vertex", "gemini", "foundry", "generative")


def is_export(row: Mapping[str, Any]) -> bool:
    """Whether a row is one of a FOCUS data set."""
    return {"billedcost", "chargecategory"} <= row.keys()


def read(row: Row, ask: Ask) -> list[ToldLine] | None:  # noqa: ARG001 - a Reader
    """The line of a row; None for a service that sells no tokens."""
    place, fields = row
    category = first(fields, "chargecategory")
    kind = _KINDS.get(category.lower())
    if not _is_inference(fields):
        return None
    if kind is None:
        raise InvoiceError(f"ChargeCategory is {shown(category)}, which FOCUS does not have")
    committed = first(fields, "commitmentdiscountid", "contractapplied")
    if committed and kind is LineKind.FEE:
        kind = LineKind.COMMITMENT
    pico, places = amount_of(fields.get("billedcost"), "BilledCost")
    start_us, end_us = span_of(
        first(fields, "chargeperiodstart"), first(fields, "chargeperiodend"), "the charge period"
    )
    details = _details(fields)
    meter = first(fields, "skumeter")
    described = first(fields, "chargedescription")
    is_usage = kind is LineKind.USAGE
    token_class = (_class_of(details) or token_class_of(meter or described)) if is_usage else ""
    model = first(details, "modelid", "xmodelid", "xmodel", "modelfamily") if is_usage else ""
    return [
        ToldLine(
            place=place,
            kind=kind,
            start_us=start_us,
            end_us=end_us,
            own_pico=pico,
            places=places,
            currency=currency_of(first(fields, "billingcurrency")),
            number=first(fields, "invoiceid"),
            account=first(fields, "billingaccountid"),
            product=first(fields, "skuid") or described,
            model=model or (model_of(described or meter) if is_usage else ""),
            token_class=token_class,
            tier=first(details, "tier", "xtier", "servicetier") or tier_of(meter or described),
            region=first(fields, "regionid"),
            project=first(fields, "subaccountid"),
            quantity=_quantity(fields) if token_class else None,
            covered=_is_covered(fields, pico, committed),
            note=_note(fields, described),
            raw=fields,
            **_priced(fields),
        )
    ]


def _is_inference(fields: Mapping[str, Any]) -> bool:
    if first(fields, "servicecategory").lower() == _AI:
        return True
    names = ("servicename", "providername", "serviceprovidername", "publishername")
    told = " ".join(first(fields, name) for name in names).lower()
    return any(word in told for word in _WORDS)


def _details(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of SkuPriceDetails, and columns of ours such as ``x_ModelId``."""
    told = fields.get("skupricedetails") or fields.get("xskupricedetails") or ""
    found: Any = told
    if isinstance(told, str) and told:
        try:
            found = msgspec.json.decode(told, type=Any)
        except msgspec.MsgspecError as error:
            raise InvoiceError(f"SkuPriceDetails is {shown(told)}; it is JSON") from error
    inner = plain(found) if isinstance(found, Mapping) else {}
    below = "skupricedetails"
    nested = {k.removeprefix(below): v for k, v in fields.items() if k.startswith(below)}
    return {**fields, **nested, **inner}


def _class_of(details: Mapping[str, Any]) -> str:
    direction = first(details, "tokendirection", "xtokendirection").lower()
    action = first(details, "tokencacheaction", "xtokencacheaction").lower()
    if direction == "output":
        return "output"
    if direction == "input":
        return {"read": "cache_read", "write": "cache_write"}.get(action, "input_uncached")
    return ""


def _quantity(fields: Mapping[str, Any]) -> int | None:
    for name in ("consumed", "pricing"):
        told = fields.get(f"{name}quantity")
        if told is not None and told != "":
            unit = first(fields, f"{name}unit")
            return quantity_of(told, unit_factor(unit), f"{name.title()}Quantity")
    return None


def _is_covered(fields: Mapping[str, Any], pico: int, committed: str) -> bool:
    """Billed at nothing although it cost something: a commitment or a prepayment bears it."""
    effective = first(fields, "effectivecost")
    costs = bool(effective) and amount_of(effective, "EffectiveCost")[0] != 0
    return pico == 0 and (costs or bool(committed))


def _note(fields: Mapping[str, Any], described: str) -> str:
    correction = first(fields, "chargeclass")
    return f"{correction}: {described}" if correction else described


def _priced(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The amount in the pricing currency, where it is another one and the row states both."""
    currency = first(fields, "pricingcurrency")
    billed = first(fields, "xpricingcurrencybilledcost", "pricingcurrencybilledcost")
    rate = first(fields, "xexchangerate", "exchangerate")
    if not currency or not billed or len(currency) != len("USD"):
        return {}
    return {
        "priced_currency": currency_of(currency),
        "priced_pico": amount_of(billed, "the cost in pricing currency")[0],
        "rate": figure(rate, "the rate") if rate else "",
    }
