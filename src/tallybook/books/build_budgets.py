"""budgets.yaml from form to model: one budget per feature and month, increases in their month."""

from __future__ import annotations

import itertools
from typing import Final

from tallybook.books.build_org import refuse_unknown
from tallybook.books.faults import Place, Sheet, shown
from tallybook.books.model import Budget, Budgets, Increase, Org, Span
from tallybook.books.schema import BudgetForm, BudgetsForm, IncreaseForm
from tallybook.clock import Calendar, Period
from tallybook.money import parse_percent, parse_units

_NANO_SCALE: Final = 9


def build_budgets(form: BudgetsForm, org: Org, calendar: Calendar, sheet: Sheet) -> Budgets:
    """Make the budgets of their form, noting every row that is wrong or contradicts another.

    The result is only of use when no fault was noted.
    """
    budgets: list[Budget] = []
    for number, row in enumerate(form.budgets):
        place: Place = ("budgets", number)
        budget = _budget(row)
        _check_budget(row, place, sheet)
        if _check_feature(row.feature, place, org, sheet):
            _check_lives(budget, place, org, calendar, sheet)
        _check_overlap(budget, budgets, place, sheet)
        budgets.append(budget)
    made = Budgets(tuple(budgets), tuple(_increase(row, calendar) for row in form.increases))
    for number, increase in enumerate(made.increases):
        _check_increase(increase, ("increases", number), made, org, sheet)
    return made


def _budget(row: BudgetForm) -> Budget:
    return Budget(
        feature=row.feature,
        from_period=Period.parse(row.from_),
        to_period=Period.parse(row.to) if row.to else None,
        monthly_nano=parse_units(row.monthly, _NANO_SCALE),
        warn=tuple(parse_percent(level) for level in row.warn),
        over=row.over,
        approvers=tuple(row.approvers),
    )


def _increase(row: IncreaseForm, calendar: Calendar) -> Increase:
    return Increase(
        feature=row.feature,
        period=Period.parse(row.month),
        amount_nano=parse_units(row.amount, _NANO_SCALE),
        approved_by=row.approved_by,
        approved_on=row.approved_on,
        from_us=calendar.date_start_us(row.approved_on),
    )


def _check_budget(row: BudgetForm, place: Place, sheet: Sheet) -> None:
    if row.to and row.from_ >= row.to:
        sheet.refuse(
            (*place, "to"),
            f"from {row.from_} is not before to {row.to}",
            expected="from before to; to is the first month without the budget",
            remedy="swap or correct the months",
        )
    levels = [parse_percent(level) for level in row.warn]
    if any(later <= earlier for earlier, later in itertools.pairwise(levels)):
        sheet.refuse(
            (*place, "warn"),
            f"levels {', '.join(row.warn)} do not rise",
            expected="rising levels, each once",
            remedy="sort them",
        )
    if row.over == "approval" and not row.approvers:
        sheet.refuse(
            (*place, "over"),
            "over: approval, and nobody may approve",
            expected="approvers",
            remedy="add approvers: [name, ...]",
        )


def _check_feature(name: str, place: Place, org: Org, sheet: Sheet) -> bool:
    known = [feature.id for feature in org.features]
    if name not in known:
        refuse_unknown((*place, "feature"), "feature", name, known, sheet)
    return name in known


def _check_lives(budget: Budget, place: Place, org: Org, calendar: Calendar, sheet: Sheet) -> None:
    """The feature exists in the first month and, if the budget ends, in the last.

    A budget that is open outlives its feature without harm: there is no usage to hold against it.
    """
    months = [budget.from_period]
    if budget.to_period is not None and budget.from_period < budget.to_period:
        months.append(budget.to_period.previous())
    spans = [feature.span for feature in org.features if feature.id == budget.feature]
    for month in months:
        if not any(Span(*calendar.bounds_us(month)).overlaps(span) for span in spans):
            sheet.refuse(
                place,
                f"feature {shown(budget.feature)} does not exist in {month}",
                expected="a budget for months in which the feature exists",
                remedy="correct from and to here, or those of the feature in org.yaml",
            )
            return


def _check_overlap(budget: Budget, earlier: list[Budget], place: Place, sheet: Sheet) -> None:
    for number, other in enumerate(earlier):
        if other.feature == budget.feature and _overlap(budget, other):
            sheet.refuse(
                place,
                f"budget of {shown(budget.feature)} from {budget.from_period} overlaps the row at "
                f"{sheet.at(('budgets', number))}",
                expected="one budget per feature and month",
                remedy="end the earlier row with to: in the month in which the later begins",
            )
            return


def _overlap(one: Budget, other: Budget) -> bool:
    later = max(one.from_period, other.from_period)
    return one.covers(later) and other.covers(later)


def _check_increase(row: Increase, place: Place, made: Budgets, org: Org, sheet: Sheet) -> None:
    if not _check_feature(row.feature, place, org, sheet):
        return
    budget = made.budget_of(row.feature, row.period)
    if budget is None:
        sheet.refuse(
            (*place, "month"),
            f"feature {shown(row.feature)} has no budget in {row.period} to increase",
            expected="a month that a budget covers",
            remedy="correct the month or add the budget",
        )
    elif budget.approvers and row.approved_by not in budget.approvers:
        sheet.refuse(
            (*place, "approved_by"),
            f"{shown(row.approved_by)} may not approve for {shown(row.feature)}",
            expected=f"one of {', '.join(budget.approvers)}",
            remedy="let one of them approve, or add the name to approvers",
        )
    if row.amount_nano == 0:
        sheet.refuse(
            (*place, "amount"),
            "an increase of zero",
            expected="an amount above zero",
            remedy="remove the row or correct the amount",
        )
    if row.approved_on > row.period.last_day():
        sheet.refuse(
            (*place, "approved_on"),
            f"approved on {row.approved_on}, after {row.period} ended",
            expected=f"a date up to {row.period.last_day()}",
            remedy="raise the budget of a later month; a month keeps what was in force at its end",
        )
