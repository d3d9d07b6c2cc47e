"""The trial balance as text: every balance, to the last unit that any of them has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tallybook.ledger.balance import TrialRow
from tallybook.money import NANO_SCALE, format_units

DECIMALS_MIN = 2
GAP = "  "
TEXTS = ("account", "team", "feature")
HEAD = (*TEXTS, "opening", "debit", "credit", "closing")


def trial_balance_text(rows: Iterable[TrialRow], currency: str = "", title: str = "") -> str:
    """Accounts with opening, debit, credit and closing, and their sums; ends in a newline.

    All figures show the same number of decimals: as few as two, as many as the finest needs. Memo
    accounts, which are outside every total, follow below the sum and have their own.
    """
    every = list(rows)
    booked = [row for row in every if not row.memo]
    memo = [row for row in every if row.memo]
    drop = _spare_decimals([amount for row in every for amount in _amounts(row)])
    cells = [[*HEAD]]
    cells += [_cells(row, drop) for row in booked]
    cells.append(_sum_cells("sum", booked, drop))
    if memo:
        cells += [_cells(row, drop) for row in memo]
        cells.append(_sum_cells("memo sum", memo, drop))
    widths = [max(len(row[column]) for row in cells) for column in range(len(HEAD))]
    lines = [_aligned(row, widths) for row in cells]
    rule = "-" * (sum(widths) + len(GAP) * (len(widths) - 1))
    at_sum = len(booked) + 1
    body = [lines[0], rule, *lines[1:at_sum], rule, lines[at_sum]]
    if memo:
        body += ["", "Shown, not booked:", *lines[at_sum + 1 : -1], rule, lines[-1]]
    heading = ", ".join(part for part in (title, currency) if part)
    return "\n".join(line.rstrip() for line in ([heading, "", *body] if heading else body)) + "\n"


def _amounts(row: TrialRow) -> tuple[int, int, int, int]:
    return row.opening_nano, row.debit_nano, row.credit_nano, row.closing_nano


def _spare_decimals(amounts: Sequence[int]) -> int:
    """How many decimals are zero in every amount, keeping at least two."""
    drop = NANO_SCALE - DECIMALS_MIN
    while any(amount % 10**drop for amount in amounts):
        drop -= 1
    return drop


def _figure(amount_nano: int, drop: int) -> str:
    text = format_units(amount_nano, NANO_SCALE)
    return text[: len(text) - drop]


def _cells(row: TrialRow, drop: int) -> list[str]:
    return [row.account, row.team, row.feature, *(_figure(each, drop) for each in _amounts(row))]


def _sum_cells(name: str, rows: Sequence[TrialRow], drop: int) -> list[str]:
    sums = [sum(column) for column in zip(*map(_amounts, rows), strict=True)] or [0, 0, 0, 0]
    return [name, "", "", *(_figure(each, drop) for each in sums)]


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    left = [text.ljust(width) for text, width in zip(row[:3], widths[:3], strict=True)]
    right = [text.rjust(width) for text, width in zip(row[3:], widths[3:], strict=True)]
    return GAP.join([*left, *right])
