"""The budget part of a statement as rows of text, shared by every rendering."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tallybook.money import format_cents, half_even
from tallybook.report import figures
from tallybook.report.model import BudgetAct, BudgetDecision, BudgetRow, Statement

ACT_WORDS = {
    "stop": "refused at the amount",
    "approval": "refused until more is approved",
    "throttle": "throttled",
    "downgrade": "answered by a cheaper model",
    "busy": "refused while calls under way held the rest",
    "unpriced": "refused, their model has no price",
    "blind": "made or refused while nobody could say what was left",
}


@dataclass(frozen=True, slots=True)
class BudgetText:
    """One budget, all texts ready; ``remarks`` say who decided what and what was refused."""

    name: str
    charge: str
    in_force: str
    used: str
    share: str
    remaining: str
    filled: int
    is_over: bool
    remarks: tuple[str, ...]


def budget_texts(statement: Statement) -> list[BudgetText]:
    """The budgets of a statement in the order of their rows."""
    rows = statement.budget.rows if statement.budget else ()
    return [_text(row) for row in rows]


def _text(row: BudgetRow) -> BudgetText:
    remaining = row.in_force_cents - row.used_cents
    share = figures.whole_percent(row.used_cents, row.in_force_cents)
    return BudgetText(
        name=row.name,
        charge=row.charge,
        in_force=figures.money(row.in_force_cents),
        used=figures.money(row.used_cents),
        share=share,
        remaining=figures.money(remaining),
        filled=_filled(row),
        is_over=remaining < 0,
        remarks=(*map(_decision, row.decisions), *map(_act, row.acts)),
    )


def budget_cells(statement: Statement) -> Iterator[dict[str, str]]:
    """The budgets of a statement as cells of a table: one row for each figure, decision and act."""
    for row in statement.budget.rows if statement.budget else ():
        feature = row.subject if row.scope == "feature" else ""
        base = {"feature": feature, "feature_name": row.name, "purpose": "", "label": row.charge}
        for kind, cents in (
            ("in_force", row.in_force_cents),
            ("used", row.used_cents),
            ("remaining", row.in_force_cents - row.used_cents),
        ):
            yield base | {"kind": kind, "amount": format_cents(cents)}
        for one in row.decisions:
            told = {"kind": one.verdict, "detail": one.decided_by, "label": _decision(one)}
            yield base | told | {"amount": format_cents(one.amount_cents)}
        for act in row.acts:
            told = {"kind": act.act, "calls": str(act.calls), "label": _act(act)}
            yield base | told | {"amount": format_cents(act.estimate_cents)}


def _filled(row: BudgetRow) -> int:
    """How much of a bar of 100 is filled."""
    if row.in_force_cents <= 0:
        return 100 if row.used_cents > 0 else 0
    return min(max(half_even(row.used_cents * 100, row.in_force_cents), 0), 100)


def _decision(one: BudgetDecision) -> str:
    amount = figures.money(one.amount_cents)
    what = f"{amount} {one.verdict} by {one.decided_by} on {figures.day(one.on)}"
    until = f", until {figures.day(one.expires)}" if one.expires else ""
    asked = f", asked by {one.requested_by}" if one.requested_by else ""
    return f"{what}{until}{asked}" + (f": {one.reason}" if one.reason else "")


def _act(one: BudgetAct) -> str:
    cost = f" (at most {figures.money(one.estimate_cents)})" if one.estimate_cents else ""
    calls = "1 call" if one.calls == 1 else f"{figures.count(one.calls)} calls"
    return f"{calls} {ACT_WORDS.get(one.act, one.act)}{cost}"
