"""budgets.yaml from form to model: one budget per owner and month, increases in their month."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from tallybook.books.budgets import BUDGET_SCOPES, Budget, Budgets, Increase, Over
from tallybook.books.build_org import refuse_unknown
from tallybook.books.faults import Place, Sheet, shown
from tallybook.books.model import Org, Span
from tallybook.books.schema import BudgetForm, BudgetsForm, IncreaseForm, LimitForm
from tallybook.clock import Calendar, Period
from tallybook.money import NANO_SCALE, parse_percent, parse_units

_CALLS_PER_MINUTE: Final = 6
_UP_TO: Final = "110%"
_BEYOND: Final[tuple[Over, ...]] = ("throttle", "downgrade")
_FIRST_MONTH: Final = Period(1970, 1)
_ALL: Final = "-"
"""What the default stands for while it is checked: no id begins so."""


def build_budgets(form: BudgetsForm, org: Org, calendar: Calendar, sheet: Sheet) -> Budgets:
    """Make the budgets of their form, noting every row that is wrong or contradicts another.

    The result is only of use when no fault was noted.
    """
    budgets: list[Budget] = []
    for number, row in enumerate(form.budgets):
        place: Place = ("budgets", number)
        if not (_check_named(row, place, sheet) and _check_amount(row, place, sheet)):
            continue
        budget = _budget(row)
        _check_span(row, place, sheet)
        _check_budget(row, place, sheet)
        if _check_subject(budget, place, org, sheet) and budget.feature:
            _check_lives(budget, place, org, calendar, sheet)
        _check_overlap(budget, budgets, place, sheet)
        budgets.append(budget)
    default = None
    if form.default is not None:
        _check_budget(form.default, ("default",), sheet)
        named = {"feature": _ALL}
        default = _made(form.default, form.default.monthly, _FIRST_MONTH, None, named)
    increases = tuple(_increase(row, calendar) for row in form.increases)
    made = Budgets(tuple(budgets), increases, default=default)
    for number, increase in enumerate(made.increases):
        _check_increase(increase, ("increases", number), made, org, sheet)
    return made


def _budget(row: BudgetForm) -> Budget:
    whose: dict[str, str] = {scope: getattr(row, scope) for scope in BUDGET_SCOPES}
    to_period = Period.parse(row.to) if row.to else None
    made = _made(row, row.amount or row.monthly, Period.parse(row.from_), to_period, whose)
    return replace(made, resets=row.resets)


def _made(
    row: LimitForm,
    amount: str,
    from_period: Period,
    to_period: Period | None,
    whose: Mapping[str, str],
) -> Budget:
    beyond = _UP_TO if row.over in _BEYOND else "100%"
    rate = _CALLS_PER_MINUTE if row.calls_per_minute is None else row.calls_per_minute
    return Budget(
        feature=whose.get("feature", ""),
        from_period=from_period,
        to_period=to_period,
        monthly_nano=parse_units(amount, NANO_SCALE),
        warn=tuple(parse_percent(level) for level in row.warn),
        over=row.over,
        approvers=tuple(row.approvers),
        team=whose.get("team", ""),
        unit=whose.get("unit", ""),
        key=whose.get("key", ""),
        customer=whose.get("customer", ""),
        calls_per_minute=rate if row.over == "throttle" else 0,
        up_to=parse_percent(row.up_to or beyond),
        downgrade=dict(row.downgrade),
    )


def _increase(row: IncreaseForm, calendar: Calendar) -> Increase:
    return Increase(
        feature=row.feature,
        period=Period.parse(row.month),
        amount_nano=parse_units(row.amount, NANO_SCALE),
        approved_by=row.approved_by,
        approved_on=row.approved_on,
        from_us=calendar.date_start_us(row.approved_on),
    )


def _check_named(row: BudgetForm, place: Place, sheet: Sheet) -> bool:
    named = [scope for scope in BUDGET_SCOPES if getattr(row, scope)]
    if len(named) != 1:
        sheet.refuse(
            place,
            f"a budget of {' and '.join(named) or 'nothing'}",
            expected=f"one of {', '.join(BUDGET_SCOPES)}",
            remedy="name what the budget is of; write a row for each",
        )
    return len(named) == 1


def _check_amount(row: BudgetForm, place: Place, sheet: Sheet) -> bool:
    """An amount of a month, or one that is left of from month to month; never both."""
    carries = row.resets == "never"
    right, wrong = ("amount", "monthly") if carries else ("monthly", "amount")
    if getattr(row, right) and not getattr(row, wrong):
        return True
    is_wrong = bool(getattr(row, wrong))
    sheet.refuse(
        (*place, wrong) if is_wrong else place,
        f"{wrong} under resets: {row.resets}" if is_wrong else f"{right} is missing",
        expected='monthly: "100.00", or amount: "100.00" with resets: never',
        remedy=f"write {right} alone",
    )
    return False


def _check_span(row: BudgetForm, place: Place, sheet: Sheet) -> None:
    if row.to and row.from_ >= row.to:
        sheet.refuse(
            (*place, "to"),
            f"from {row.from_} is not before to {row.to}",
            expected="from before to; to is the first month without the budget",
            remedy="swap or correct the months",
        )


def _check_budget(row: LimitForm, place: Place, sheet: Sheet) -> None:
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
    _check_beyond(row, place, sheet)


def _check_beyond(row: LimitForm, place: Place, sheet: Sheet) -> None:
    """What only ``throttle`` and ``downgrade`` read stands only beside them."""
    if row.up_to and (row.over not in _BEYOND or parse_percent(row.up_to) < 1):
        sheet.refuse(
            (*place, "up_to"),
            f"up_to {row.up_to} under over: {row.over}",
            expected="100% or more, under over: throttle or downgrade",
            remedy="correct it or leave it out; without it calls go on until 110%",
        )
    if row.calls_per_minute is not None and (row.over != "throttle" or not row.calls_per_minute):
        sheet.refuse(
            (*place, "calls_per_minute"),
            f"{row.calls_per_minute} calls a minute under over: {row.over}",
            expected="one at least, under over: throttle",
            remedy="correct it or leave it out; to let no call through write over: stop",
        )
    if bool(row.downgrade) != (row.over == "downgrade"):
        sheet.refuse(
            (*place, "downgrade"),
            f"{len(row.downgrade)} models to answer instead under over: {row.over}",
            expected="over: downgrade, and downgrade: {model: cheaper model}",
            remedy="write both or neither",
        )
    chained = sorted(set(row.downgrade) & set(row.downgrade.values()))
    if chained:
        sheet.refuse(
            (*place, "downgrade"),
            f"{', '.join(chained)} is both replaced and answers instead",
            expected="models that answer instead are not replaced themselves",
            remedy="name the last model of the chain",
        )


def _check_subject(budget: Budget, place: Place, org: Org, sheet: Sheet) -> bool:
    scope, subject = budget.scope, budget.subject
    if scope == "feature":
        return _check_feature(subject, place, org, sheet)
    known = {
        "team": [team.id for team in org.teams],
        "unit": [unit.id for unit in org.units],
    }.get(scope)
    if known is None or subject in known:  # keys are issued, and customers come, without the files
        return True
    refuse_unknown((*place, scope), scope, subject, known, sheet)
    return False


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
        same = (other.scope, other.subject) == (budget.scope, budget.subject)
        if same and _overlap(budget, other):
            whose = "" if budget.feature else f"{budget.scope} "
            sheet.refuse(
                place,
                f"budget of {whose}{shown(budget.subject)} from {budget.from_period} overlaps the "
                f"row at {sheet.at(('budgets', number))}",
                expected=f"one budget per {budget.scope} and month",
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
    elif budget.carries:
        sheet.refuse(
            (*place, "feature"),
            f"the budget of {shown(row.feature)} does not reset, and an increase is of one month",
            expected="a budget of a month",
            remedy="raise its amount, or have more granted: tallybook budget request",
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
