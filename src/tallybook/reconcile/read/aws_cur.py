"""Amazon: the Cost and Usage Report 2.0 (and 1), rows of Bedrock and of models sold on Marketplace.

Tokens are counted in thousands, or in millions where the row says so. Third-party models come as
rows of AWS Marketplace, whose usage type names no model; the product does. A savings plan's usage
stands at list price with a negation beside it, and adds up to nothing.
"""

from __future__ import annotations

import re
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
    quantity_of,
    span_of,
    unit_factor,
)

FORM: Final = "aws-cur"
THOUSAND: Final = 1000
MILLION: Final = 1_000_000

_KINDS: Final = {
    "usage": LineKind.USAGE,
    "discountedusage": LineKind.USAGE,
    "savingsplancoveredusage": LineKind.USAGE,
    "savingsplannegation": LineKind.COMMITMENT,
    "savingsplanrecurringfee": LineKind.COMMITMENT,
    "savingsplanupfrontfee": LineKind.COMMITMENT,
    "rifee": LineKind.COMMITMENT,
    "fee": LineKind.FEE,
    "refund": LineKind.CREDIT,
    "credit": LineKind.CREDIT,
    "tax": LineKind.TAX,
    "edpdiscount": LineKind.DISCOUNT,
    "bundleddiscount": LineKind.DISCOUNT,
    "privateratediscount": LineKind.DISCOUNT,
    "rivolumediscount": LineKind.DISCOUNT,
    "discount": LineKind.DISCOUNT,
}
_PREFIX = re.compile(r"(?P<region>[A-Z]{2,4}\d?)-(?P<rest>.+)")
_SOLD = re.compile(r"^(?P<model>.+?)\s*\(amazon bedrock edition\)", re.IGNORECASE)
_REGIONS: Final = {
    "USE1": "us-east-1", "USE2": "us-east-2", "USW1": "us-west-1", "USW2": "us-west-2",
    "EU": "eu-west-1", "EUW1": "eu-west-1", "EUW2": "eu-west-2", "EUW3": "eu-west-3",
    "EUC1": "eu-central-1", "EUN1": "eu-north-1", "APN1": "ap-northeast-1",
    "APN2": "ap-northeast-2", "APS1": "ap-southeast-1", "APS2": "ap-southeast-2",
    "APS3": "ap-south-1", "CAN1": "ca-central-1", "SAE1": "sa-east-1",
}  # fmt: skip


def is_export(row: Mapping[str, Any]) -> bool:
    """Whether a row is one of a cost and usage report."""
    return "lineitemusagetype" in row and "lineitemunblendedcost" in row


def read(row: Row, ask: Ask) -> list[ToldLine] | None:
    """The line of a row; None for a service that sells no tokens."""
    place, fields = row
    told = first(fields, "lineitemlineitemtype") or "Usage"
    kind = _KINDS.get(told.lower())
    if not _is_inference(fields):
        return None
    if kind is None:
        raise InvoiceError(f"the line item type is {shown(told)}, which is not known")
    pico, places = amount_of(first(fields, "lineitemunblendedcost") or "0", "the cost")
    usage_type = first(fields, "lineitemusagetype")
    name = first(fields, "productproductname", "productservicename", "productservicecode")
    described = first(fields, "lineitemlineitemdescription")
    found = _PREFIX.fullmatch(usage_type)
    item, region = (found["rest"], _REGIONS.get(found["region"], "")) if found else (usage_type, "")
    sold = _SOLD.match(name) or _SOLD.match(described)
    is_usage = kind is LineKind.USAGE
    token_class = token_class_of(item.removeprefix("MP:")) or token_class_of(described)
    start, end = first(fields, "lineitemusagestartdate"), first(fields, "lineitemusageenddate")
    start_us, end_us = span_of(start, end, "the usage") if start and end else asked_window(ask)
    return [
        ToldLine(
            place=place,
            kind=kind,
            start_us=start_us,
            end_us=end_us,
            own_pico=pico,
            places=places,
            currency=currency_of(first(fields, "lineitemcurrencycode") or "USD"),
            number=first(fields, "billinvoiceid"),
            account=first(fields, "billpayeraccountid"),
            product=usage_type or described,
            model=(sold["model"] if sold else model_of(item)) if is_usage else "",
            token_class=token_class if is_usage else "",
            tier=tier_of(item) or ("standard" if is_usage and token_class else ""),
            region=first(fields, "productregioncode", "productregion") or region,
            key_id=first(fields, "lineitemiamprincipal"),
            project=first(fields, "lineitemusageaccountid"),
            quantity=quantity_of(
                fields.get("lineitemusageamount") if token_class and is_usage else None,
                _factor(fields, token_class, described),
                "the usage amount",
            ),
            covered=told.lower() == "discountedusage",
            note=described if described != usage_type else "",
            raw=fields,
        )
    ]


def _is_inference(fields: Mapping[str, Any]) -> bool:
    told = " ".join(
        first(fields, name)
        for name in (
            *("lineitemproductcode", "productproductname", "productservicename"),
            "lineitemlineitemdescription",
        )
    )
    return "bedrock" in told.lower()


def _factor(fields: Mapping[str, Any], token_class: str, described: str) -> int:
    """How many tokens one of the units is: what the row says, else a thousand."""
    if token_class in ("web_search", "file_search", "container"):
        return 1
    unit = first(fields, "pricingunit")
    words = f"{unit} {described}".lower()
    if re.search(r"\bmillion\b|\b1m\b", words):
        return MILLION
    return max(unit_factor(unit, THOUSAND), THOUSAND) if unit[:1].isdigit() else THOUSAND
