"""A reconciliation and invoices as plain values: the machine form, and rows for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any, Final

from tallybook.clock import format_instant
from tallybook.money import PICO_PER_NANO
from tallybook.reconcile.classify import day_text
from tallybook.reconcile.model import (
    InvoiceLine,
    Item,
    ProviderInvoice,
    ProviderResult,
    Reconciliation,
    Variance,
    VarianceKind,
)
from tallybook.reconcile.read.told import in_units

HEADER: Final = (
    "period", "provider", "part", "variance", "kind", "cause", "day", "days", "model",
    "token_class", "tier", "key", "quantity", "amount", "currency", "owner", "status", "route",
    "evidence",
)  # fmt: skip
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def reconciliation_value(found: Reconciliation) -> dict[str, Any]:
    """The whole result; of each provider ``metered`` and the variances sum to ``invoiced``."""
    return {
        "period": found.period,
        "state": found.period_state,
        "currency": found.currency,
        "tolerance": found.tolerance,
        "providers": [_provider_value(each) for each in found.providers],
    }


def _provider_value(each: ProviderResult) -> dict[str, Any]:
    return {
        "provider": each.provider,
        "invoiced": in_units(each.invoiced_pico),
        "metered": in_units(each.metered_pico),
        "by_kind": {
            str(kind): in_units(amount) for kind in VarianceKind if (amount := each.of_kind(kind))
        },
        "variances": [_variance_head(one) for one in each.variances],
        "invoices": list(each.invoices),
        "lines": each.lines,
        "matched_lines": each.matched_lines,
        "calls": each.calls,
        "unpriced_calls": each.unpriced_calls,
        "beside": {told.what: in_units(told.amount_nano * PICO_PER_NANO) for told in each.beside},
    }


def _variance_head(one: Variance) -> dict[str, Any]:
    return {
        "id": one.id,
        "kind": str(one.kind),
        "cause": one.cause,
        "model": one.model,
        "key": one.key_id,
        "quantity": one.quantity,
        "amount": in_units(one.amount_pico),
        "owner": one.owner,
        "status": one.status,
        "route": one.route,
        "reason": one.reason,
        "decided_by": one.decided_by,
        "items": len(one.items),
    }


def variance_value(one: Variance) -> dict[str, Any]:
    """One variance with everything that it is made of."""
    return {**_variance_head(one), "items": [_item_value(item) for item in one.items]}


def _item_value(item: Item) -> dict[str, Any]:
    return {
        "day": day_text(item.day_us),
        "days": item.days,
        "model": item.model,
        "token_class": item.token_class,
        "tier": item.tier,
        "key": item.key_id,
        "quantity": item.quantity,
        "amount": in_units(item.amount_pico),
        "evidence": item.evidence,
        "lines": list(item.lines),
    }


def invoice_value(one: ProviderInvoice) -> dict[str, Any]:
    """One version of an invoice."""
    return {
        "id": one.id,
        "version": one.version,
        "provider": one.provider,
        "form": one.form,
        "account": one.account,
        "number": one.number,
        "period": one.period,
        "total": in_units(one.total_pico),
        "currency": one.currency,
        "stated_total": None if one.stated_pico is None else in_units(one.stated_pico),
        "issued_on": one.issued_on,
        "lines": one.lines,
        "files": [{"name": name, "sha256": digest} for name, digest in one.files],
        "digest": one.digest,
        "withdrawn": one.is_withdrawn,
        "reason": one.reason,
        "actor": one.actor,
        "imported_at": format_instant(one.at_us),
    }


def line_value(line: InvoiceLine) -> dict[str, Any]:
    """One line of an invoice; ``amount`` is in the books' currency."""
    return {
        "line": line.ref,
        "kind": str(line.kind),
        "from": format_instant(line.start_us),
        "to": format_instant(line.end_us),
        "product": line.product,
        "model": line.model,
        "token_class": line.token_class,
        "tier": line.tier,
        "region": line.region,
        "key": line.key_id,
        "project": line.project,
        "quantity": line.quantity,
        "own_amount": in_units(line.own_pico),
        "own_currency": line.currency,
        "rate": line.rate,
        "rate_date": line.rate_date,
        "amount": in_units(line.amount_pico),
        "fx": in_units(line.fx_pico),
        "note": line.note,
    }


def csv_text(found: Reconciliation) -> str:
    """One row for what was invoiced, one for what was metered, one for each item between them.

    For each provider the rows of ``metered`` and ``variance`` sum to that of ``invoiced``.
    """
    page = io.StringIO()
    writer = csv.DictWriter(page, HEADER, restval="", lineterminator="\n")
    writer.writeheader()
    for each in found.providers:
        start = {"period": found.period, "provider": each.provider, "currency": found.currency}
        for part, pico in (("invoiced", each.invoiced_pico), ("metered", each.metered_pico)):
            writer.writerow({**start, "part": part, "amount": in_units(pico)})
        for one in each.variances:
            for item in one.items:
                writer.writerow(_plain({**start, **_row(one, item)}))
    return page.getvalue()


def _row(one: Variance, item: Item) -> dict[str, Any]:
    return {
        "part": "variance",
        "variance": one.id,
        "kind": str(one.kind),
        "cause": one.cause,
        "day": day_text(item.day_us),
        "days": item.days,
        "model": item.model,
        "token_class": item.token_class,
        "tier": item.tier,
        "key": item.key_id,
        "quantity": "" if item.quantity is None else item.quantity,
        "amount": in_units(item.amount_pico),
        "owner": one.owner,
        "status": one.status,
        "route": one.route,
        "evidence": item.evidence,
    }


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """Text that a spreadsheet would take for a formula is led by an apostrophe."""
    return {
        name: f"'{value}"
        if isinstance(value, str) and name != "amount" and value.startswith(_FORMULA_STARTS)
        else value
        for name, value in row.items()
    }


def lines_value(lines: Sequence[InvoiceLine]) -> list[dict[str, Any]]:
    """Lines in order."""
    return [line_value(line) for line in lines]
