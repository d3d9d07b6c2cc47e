"""A month's invoice written as the provider writes it: one function for each form of report.

Amounts are written with twelve decimals, so that nothing of them can be taken for rounding, but for
lines that are meant to be rounded.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

import msgspec

from tallybook.clock import format_instant
from tallybook.clock.company import Calendar
from tallybook.clock.period import Period
from tallybook.money import format_units
from tallybook.reconcile.model import DAY_US
from tallybook.sim.invoices.model import BilledLine, MonthBill

EUROS_PER_DOLLAR: Final = Fraction(4, 5)
DOLLARS_PER_EURO: Final = "1.26"
"""Azure's rate on its rows, and ours: they differ, which is a difference of exchange."""
_PLACES: Final = 12
_UTC: Final = Calendar("UTC", "2026-01")
_JSON: Final = msgspec.json.Encoder(decimal_format="number")


def written(bill: MonthBill) -> str:
    """The text of the file that the provider hands out."""
    return FORMS[bill.sold.form](bill)


def suffix(bill: MonthBill) -> str:
    """The ending of that file's name."""
    return {"openai-costs": ".json", "anthropic-costs": ".json", "google-billing": ".jsonl"}.get(
        bill.sold.form, ".csv"
    )


def exchange_pico(bill: MonthBill) -> int:
    """What an invoice in euros differs by because our rate is not the provider's."""
    if bill.currency == "USD":
        return 0
    ours = Fraction(DOLLARS_PER_EURO)
    exact = [bill.own_pico(line) * ours - line.amount_pico for line in bill.lines]
    assert all(part.denominator == 1 for part in exact), "amounts of the year divide"
    return int(sum(exact))


def _instant(bill: MonthBill, day: int) -> str:
    return format_instant(_UTC.bounds_us(Period.parse(bill.period))[0] + day * DAY_US)


def _date(bill: MonthBill, day: int) -> str:
    return f"{bill.period}-{day + 1:02}"


def _units(pico: int, places: int = _PLACES) -> str:
    text = format_units(pico, _PLACES)
    return text if places == _PLACES else text[: len(text) - (_PLACES - places)]


def _number(pico: int, places: int = _PLACES) -> Decimal:
    return Decimal(_units(pico, places))


def _thousands(quantity: int, decimals: int) -> str:
    return format_units(quantity, decimals)


def _product(bill: MonthBill, line: BilledLine, other: str) -> str:
    return line.product or bill.sold.products.get(line.token_class, other)


def _table(rows: Sequence[Mapping[str, str]]) -> str:
    page = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(page, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return page.getvalue()


def _openai(bill: MonthBill) -> str:
    """Pages of the Costs API, by line item and key."""
    start = _UTC.bounds_us(Period.parse(bill.period))[0] // 10**6
    day_s = DAY_US // 10**6
    buckets = []
    for day in range(bill.days):
        results = []
        for line in bill.lines:
            if line.day != day:
                continue
            item = _product(bill, line, f"{line.kind} of the month")
            told: dict[str, object] = {
                "object": "organization.costs.result",
                "line_item": item,
                "amount": {"value": _number(line.amount_pico, line.places), "currency": "usd"},
            }
            if line.kind == "usage":
                told |= {"quantity": line.quantity, "quantity_unit": "tokens",
                         "api_key_id": line.key}  # fmt: skip
            results.append(told)
        buckets.append({"object": "bucket", "start_time": start + day * day_s,
                        "end_time": start + (day + 1) * day_s, "results": results})  # fmt: skip
    return _JSON.encode({"object": "page", "has_more": False, "data": buckets}).decode()


def _anthropic(bill: MonthBill) -> str:
    """Pages of the cost report: cents in decimal text, no quantities."""
    data = []
    for day in range(bill.days):
        results = [
            {
                "amount": format_units(line.amount_pico, _PLACES - 2),
                "currency": "USD",
                "cost_type": "tokens",
                "description": f"{bill.sold.model} usage",
                "model": bill.sold.model,
                "token_type": bill.sold.products[line.token_class],
                "service_tier": "standard",
            }
            for line in bill.lines
            if line.day == day
        ]
        data.append({"starting_at": _instant(bill, day), "ending_at": _instant(bill, day + 1),
                     "results": results})  # fmt: skip
    return json.dumps({"data": data, "has_more": False, "next_page": None})


_CUR: Final = {"credit": "Credit", "tax": "Tax", "discount": "EdpDiscount", "fee": "Fee",
               "commitment": "SavingsPlanRecurringFee"}  # fmt: skip


def _aws(bill: MonthBill) -> str:
    """A Cost and Usage Report 2.0: thousands of tokens, line item types, callers as principals."""
    rows = []
    for line in bill.lines:
        is_usage = line.kind == "usage"
        kind = _CUR.get(line.kind, "DiscountedUsage" if line.covered else "Usage")
        rows.append({
            "bill_invoice_id": f"AWS-{bill.period}", "bill_payer_account_id": "0001",
            "line_item_line_item_type": kind, "line_item_product_code": "AmazonBedrock",
            "product_product_name": "Amazon Bedrock",
            "line_item_usage_type": bill.sold.products.get(line.token_class, ""),
            "line_item_line_item_description": "" if is_usage else f"{line.kind} for Bedrock",
            "line_item_usage_start_date": _instant(bill, line.day),
            "line_item_usage_end_date": _instant(bill, line.day + 1),
            "line_item_usage_amount": _thousands(line.quantity, 3) if is_usage else "1",
            "line_item_unblended_cost": _units(line.amount_pico, line.places),
            "line_item_currency_code": "USD", "line_item_iam_principal": line.key,
        })  # fmt: skip
    return _table(rows)


_AZURE: Final = {"credit": "Refund", "tax": "Tax", "commitment": "Purchase",
                 "rounding": "RoundingAdjustment", "usage": "Usage"}  # fmt: skip


def _azure(bill: MonthBill) -> str:
    """Cost details: millions for output, thousands for the rest, the rate on the row."""
    rows = []
    for line in bill.lines:
        is_million = line.token_class == "output"  # noqa: S105 - no password
        own = bill.own_pico(line)
        row = {
            "invoiceId": f"AZ-{bill.period}", "billingAccountId": "b-1",
            "date": f"{bill.period[5:]}/{line.day + 1:02}/{bill.period[:4]}",
            "chargeType": _AZURE[line.kind], "meterCategory": "Foundry Models",
            "meterName": _product(bill, line, line.kind),
            "consumedService": "Microsoft.CognitiveServices",
            "quantity": _thousands(line.quantity, 6 if is_million else 3),
            "unitOfMeasure": "1M" if is_million else "1K",
            "costInBillingCurrency": _units(own, line.places), "billingCurrency": bill.currency,
            "pricingCurrency": "USD", "costInPricingCurrency": _units(line.amount_pico),
            "exchangeRatePricingToBilling": "0.8" if bill.currency == "EUR" else "1",
            "exchangeRateDate": f"{bill.period}-01",
        }  # fmt: skip
        rows.append(row)
    return _table(rows)


_GOOGLE: Final = {"credit": "PROMOTION", "discount": "DISCOUNT", "free_quota": "FREE_TIER",
                  "commitment": "COMMITTED_USAGE_DISCOUNT"}  # fmt: skip
_COST_TYPES: Final = {"tax": "tax", "rounding": "rounding_error"}


def _google(bill: MonthBill) -> str:
    """The billing export: credits stand below a row of usage."""
    rows: list[dict[str, Any]] = []
    for line in bill.lines:
        if line.kind in _GOOGLE:
            continue
        is_usage = line.kind == "usage"
        unit = {"amount": line.quantity if is_usage else 0, "unit": "count"}
        rows.append({
            "billing_account_id": "01-A", "service": {"description": "Vertex AI"},
            "sku": {"description": bill.sold.products.get(line.token_class, line.kind)},
            "usage_start_time": _instant(bill, line.day), "currency": "USD",
            "usage_end_time": _instant(bill, line.day + 1), "currency_conversion_rate": 1,
            "cost": _number(line.amount_pico, line.places),
            "cost_type": _COST_TYPES.get(line.kind, "regular"), "usage": unit,
            "invoice": {"month": bill.period.replace("-", "")}, "credits": [],
            "export_time": _instant(bill, bill.days - 1),
        })  # fmt: skip
    given = [
        {"name": line.kind, "type": _GOOGLE[line.kind], "amount": _number(line.amount_pico)}
        for line in bill.lines
        if line.kind in _GOOGLE
    ]
    rows[0]["credits"] = given
    return "".join(_JSON.encode(row).decode() + "\n" for row in rows)


_FOCUS: Final = {"usage": "Usage", "tax": "Tax", "credit": "Credit", "other": "Adjustment",
                 "fee": "Purchase", "commitment": "Purchase"}  # fmt: skip


def _focus(bill: MonthBill) -> str:
    """A FOCUS data set: one row for each token SKU."""
    rows = []
    for line in bill.lines:
        is_usage = line.kind == "usage"
        price = bill.prices.get((line.day, line.token_class), 0)
        borne = replace(line, amount_pico=line.quantity * price) if line.covered else line
        rows.append({
            "BillingAccountId": "m-1", "InvoiceId": f"MI-{bill.period}",
            "BillingCurrency": bill.currency,
            "ChargeCategory": _FOCUS[line.kind], "ServiceCategory": "AI and Machine Learning",
            "ServiceProviderName": "Mistral", "ServiceName": "Mistral API",
            "ChargePeriodStart": _instant(bill, line.day),
            "ChargePeriodEnd": _instant(bill, line.day + 1),
            "BilledCost": _units(bill.own_pico(line), line.places),
            "EffectiveCost": _units(bill.own_pico(borne)),
            "ChargeDescription": "" if is_usage else f"{line.kind} of the month",
            "ConsumedQuantity": str(line.quantity) if is_usage else "",
            "ConsumedUnit": "Tokens" if is_usage else "",
            "CommitmentDiscountId": "c-1" if line.kind == "commitment" else "",
            "SkuPriceDetails": json.dumps({
                "x_ModelId": bill.sold.model,
                "x_TokenDirection": bill.sold.products[line.token_class],
            }) if is_usage else "",
        })  # fmt: skip
    return _table(rows)


def _plain(bill: MonthBill) -> str:
    """A table of the provider's own, read by a mapping."""
    return _table(
        [
            {
                "kind": line.kind,
                "day": _date(bill, line.day),
                "amount": _units(line.amount_pico, line.places),
                "model": bill.sold.model if line.kind == "usage" else "",
                "class": line.token_class,
                "tokens": str(line.quantity) if line.kind == "usage" else "",
            }
            for line in bill.lines
        ]
    )


FORMS: Final[Mapping[str, Callable[[MonthBill], str]]] = {
    "openai-costs": _openai,
    "anthropic-costs": _anthropic,
    "aws-cur": _aws,
    "azure-costs": _azure,
    "google-billing": _google,
    "focus": _focus,
    "plain-invoice": _plain,
}
PLAIN_MAP: Final = {
    "columns": {"kind": "kind", "day": "day", "amount": "amount", "model": "model",
                "token_class": "class", "quantity": "tokens"},
    "invoice": {"currency": "USD"},
}  # fmt: skip
"""How the plain table is read; each invoice has its number besides."""
