"""A reconciliation as a workbook: the identity of each provider, and every part of its variances.

A spreadsheet keeps 15 significant digits. An amount that has more is written as text, so that no
digit is lost silently; every other one is a number.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Final

import xlsxwriter

from tallybook.clock import Period
from tallybook.reconcile.classify import day_text
from tallybook.reconcile.model import Reconciliation
from tallybook.reconcile.read.told import in_units
from tallybook.report.handoff.workbook import OPTIONS, Cell, SheetWriter

EXACT: Final = "#,##0.00##########;[Red]-#,##0.00##########"
_DIGITS_MAX: Final = 15
_IDENTITY: Final = ("provider", "metered", "differences", "invoiced", "invoices", "lines",
                    "lines that agree", "calls", "calls without a price")  # fmt: skip
_PARTS: Final = ("provider", "variance", "kind", "cause", "day", "days", "model", "token class",
                 "tier", "key", "quantity", "amount", "owner", "status", "route", "evidence",
                 "invoice lines")  # fmt: skip


def reconciliation_workbook(found: Reconciliation) -> bytes:
    """The bytes of a workbook with the sheets Identity and Variances; the same for the same books.

    On both, amounts of a provider tie: metered + its parts = invoiced.
    """
    packed = io.BytesIO()
    book = xlsxwriter.Workbook(packed, OPTIONS)
    made = datetime.fromisoformat(Period.parse(found.period).last_day())
    title = f"Reconciliation of {found.period}, {found.currency}"
    book.set_properties({"title": title, "created": made})
    writer = SheetWriter(book, EXACT)
    writer.sheet("Identity", _IDENTITY, _identity(found))
    writer.sheet("Variances", _PARTS, _parts(found))
    book.close()
    return packed.getvalue()


def _identity(found: Reconciliation) -> Iterable[tuple[Cell, ...]]:
    for each in found.providers:
        yield (
            each.provider, _money(each.metered_pico),
            _money(each.invoiced_pico - each.metered_pico), _money(each.invoiced_pico),
            ", ".join(each.invoices), each.lines, each.matched_lines, each.calls,
            each.unpriced_calls,
        )  # fmt: skip


def _parts(found: Reconciliation) -> Iterable[tuple[Cell, ...]]:
    for each in found.providers:
        for one in each.variances:
            for item in one.items:
                yield (
                    each.provider, one.id, str(one.kind), one.cause, day_text(item.day_us),
                    item.days, item.model, item.token_class, item.tier, item.key_id,
                    item.quantity, _money(item.amount_pico), one.owner, one.status, one.route,
                    item.evidence, ", ".join(item.lines),
                )  # fmt: skip


def _money(pico: int) -> Cell:
    text = in_units(pico)
    digits = text.strip("-").replace(".", "").strip("0")
    return Decimal(text) if len(digits) <= _DIGITS_MAX else text
