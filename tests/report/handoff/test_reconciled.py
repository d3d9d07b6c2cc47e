"""A reconciliation as a workbook: numbers that tie, and no digit lost silently."""

import io
from decimal import Decimal

import openpyxl

from tallybook.reconcile.model import Item, ProviderResult, Reconciliation, Variance, VarianceKind
from tallybook.report.handoff.reconciled import reconciliation_workbook


def found(metered, *amounts):
    items = tuple(
        Item(VarianceKind.PRICE, "contract", "x", 0, 1, "m", "output", "", "=k()", 5, pico, "seen")
        for pico in amounts
    )
    one = Variance("R-1", "x", VarianceKind.PRICE, "contract", "m", "", None, sum(amounts), items)
    each = ProviderResult("x", metered, metered + sum(amounts), (one,), ("P-1",), 2, 1, 3, 0)
    return Reconciliation("2026-10", "USD", "open", (each,), "1.00")


def sheets(result):
    book = openpyxl.load_workbook(io.BytesIO(reconciliation_workbook(result)))
    return {page.title: list(page.iter_rows(values_only=True)) for page in book}


def test_the_parts_tie_with_the_identity():
    read = sheets(found(10**12, 5 * 10**10, -(10**9)))
    _, identity = read["Identity"]
    parts = [row[11] for row in read["Variances"][1:]]
    assert Decimal(str(identity[2])) == sum(Decimal(str(part)) for part in parts)
    assert Decimal(str(identity[1])) + Decimal(str(identity[2])) == Decimal(str(identity[3]))
    assert read["Variances"][1][9] == "=k()"


def test_an_amount_of_more_digits_than_a_sheet_keeps_is_text():
    read = sheets(found(1_234_567_890_123_456_789, 1))
    assert read["Identity"][1][1] == "1234567.890123456789"
    assert read["Variances"][1][11] == 1e-12
