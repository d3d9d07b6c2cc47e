"""All lines of a period as CSV: every statement and the central lines under one header.

Summing ``amount`` over ``part`` = statement and ``charged`` = yes, plus ``part`` = central, gives
the ledger cost again. Lines that are not added are not in it. ``part`` = budget tells of budgets:
what was in force, used, left, decided on and refused, which adds to nothing. The last columns name
the other team of a line that is about a transfer, as `tallybook.report.model.Counterpart` has it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

from tallybook.money import format_cents
from tallybook.report.budget_rows import budget_cells
from tallybook.report.model import CentralLine, Statement, StatementLine, StatementSet
from tallybook.store import canonical_json

HEADER = (
    "period",
    "version",
    "status",
    "currency",
    "part",
    "team",
    "team_name",
    "unit",
    "cost_center",
    "model",
    "charged",
    "line_id",
    "feature",
    "feature_name",
    "purpose",
    "kind",
    "detail",
    "label",
    "calls",
    "tokens",
    "units",
    "share",
    "amount",
    "role",
    "counterpart",
    "service",
    "rule",
)
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_text(issue: StatementSet) -> str:
    """One row per line, header first, amounts as decimal text with two decimals.

    A text that a spreadsheet would take for a formula is led by an apostrophe; amounts are not.
    """
    page = io.StringIO()
    writer = csv.DictWriter(page, HEADER, restval="", lineterminator="\n")
    writer.writeheader()
    for each in issue.statements:
        for line in each.lines:
            writer.writerow(_common(issue) | _statement_row(each, line))
        for row in budget_cells(each):
            writer.writerow(_common(issue) | _budget_row(each, row))
    for kept in issue.central:
        writer.writerow(_common(issue) | _central_row(kept))
    return page.getvalue()


def _common(issue: StatementSet) -> dict[str, str]:
    return {
        "period": issue.period,
        "version": str(issue.version),
        "status": issue.status,
        "currency": issue.currency,
    }


def _statement_row(each: Statement, line: StatementLine) -> dict[str, str]:
    texts = {
        "team": each.team,
        "team_name": each.team_name,
        "unit": each.unit,
        "cost_center": each.cost_center,
        "model": each.model,
        "line_id": line.id,
        "feature": line.feature,
        "feature_name": line.feature_name,
        "purpose": line.purpose,
        "kind": line.kind,
        "detail": line.detail,
        "label": line.label,
        "share": line.share,
    }
    if told := line.transfer:
        texts |= {
            "role": told.role,
            "counterpart": told.team,
            "service": told.service,
            "rule": told.rule,
        }
    return {column: _not_a_formula(text) for column, text in texts.items()} | {
        "part": "statement",
        "charged": "yes" if each.charged else "no",
        "calls": str(line.quantity.calls),
        "tokens": str(line.quantity.tokens),
        "units": canonical_json(dict(line.quantity.units)) if line.quantity.units else "",
        "amount": format_cents(line.amount_cents),
    }


def _budget_row(each: Statement, row: Mapping[str, str]) -> dict[str, str]:
    texts = {"team": each.team, "team_name": each.team_name, "model": each.model, **row}
    kept = {column: _not_a_formula(text) for column, text in texts.items()}
    return kept | {"part": "budget", "charged": "no", "amount": row["amount"]}


def _central_row(line: CentralLine) -> dict[str, str]:
    texts = {"kind": line.kind, "detail": line.detail, "label": line.label}
    return {column: _not_a_formula(text) for column, text in texts.items()} | {
        "part": "central",
        "amount": format_cents(line.amount_cents),
    }


def _not_a_formula(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
