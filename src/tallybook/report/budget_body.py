"""The machine form of a statement's budget part, and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tallybook.money import format_cents, parse_units
from tallybook.report.model import BudgetAct, BudgetDecision, BudgetRow, BudgetUse

CENTS_SCALE = 2


def budget_values(budget: BudgetUse) -> dict[str, Any]:
    """``amount`` and ``used`` of all budgets together; ``rows`` only where the run knew of them."""
    values: dict[str, Any] = {
        "amount": format_cents(budget.budget_cents),
        "used": format_cents(budget.used_cents),
    }
    return values | ({"rows": [_row(row) for row in budget.rows]} if budget.rows else {})


def read_budget(stored: Mapping[str, Any]) -> BudgetUse:
    """The budget part of what `budget_values` made."""
    rows = tuple(_read_row(row) for row in stored.get("rows", ()))
    return BudgetUse(_cents(stored["amount"]), _cents(stored["used"]), rows)


def _row(row: BudgetRow) -> dict[str, Any]:
    return {
        "budget": f"{row.scope}:{row.subject}",
        "name": row.name,
        "charge": row.charge,
        "over": row.over,
        "monthly": format_cents(row.monthly_cents),
        "in_force": format_cents(row.in_force_cents),
        "used": format_cents(row.used_cents),
        "remaining": format_cents(row.in_force_cents - row.used_cents),
        "decisions": [_decision(one) for one in row.decisions],
        "acts": [
            {"act": one.act, "calls": one.calls, "estimate": format_cents(one.estimate_cents)}
            for one in row.acts
        ],
    }


def _decision(one: BudgetDecision) -> dict[str, Any]:
    return {
        "verdict": one.verdict,
        "amount": format_cents(one.amount_cents),
        "decided_by": one.decided_by,
        "on": one.on,
        "requested_by": one.requested_by,
        "reason": one.reason,
        "expires": one.expires,
        "request": one.request,
    }


def _read_row(stored: Mapping[str, Any]) -> BudgetRow:
    scope, _, subject = stored["budget"].partition(":")
    return BudgetRow(
        scope=scope,
        subject=subject,
        name=stored["name"],
        charge=stored["charge"],
        over=stored["over"],
        monthly_cents=_cents(stored["monthly"]),
        in_force_cents=_cents(stored["in_force"]),
        used_cents=_cents(stored["used"]),
        decisions=tuple(_read_decision(one) for one in stored["decisions"]),
        acts=tuple(
            BudgetAct(one["act"], one["calls"], _cents(one["estimate"])) for one in stored["acts"]
        ),
    )


def _read_decision(stored: Mapping[str, Any]) -> BudgetDecision:
    told = dict(stored)
    return BudgetDecision(amount_cents=_cents(told.pop("amount")), **told)


def _cents(text: str) -> int:
    return parse_units(text, CENTS_SCALE)
