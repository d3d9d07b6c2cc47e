"""The budget part of a statement: what was in force, what was used, who decided, what was refused.

All of it comes from the books of the run (budgets.yaml, decisions and notices up to the numbers
that the run names) and from its cost sheet, so it is made again to the byte like every line. It
informs; what a budget adds to the charge stands among the lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from tallybook.attribute.model import AttributedLine
from tallybook.books.budgets import Budget, Denial, Grant
from tallybook.books.model import FOREVER_US, Books
from tallybook.clock import Calendar, Period
from tallybook.money import cents_of_lines, cents_of_nano, cumulative_nano, nano_of_pico
from tallybook.report.lines import Terms
from tallybook.report.model import BudgetAct, BudgetDecision, BudgetRow, BudgetUse


def budget_use(
    books: Books,
    terms: Terms,
    period: Period,
    team: str,
    features: Sequence[tuple[str, str]],
    lines: Sequence[AttributedLine],
    *,
    told: bool,
) -> BudgetUse | None:
    """What a team's budgets came to in a month; None if none of its features has one.

    Args:
        books: with what was decided on the month's budgets, as the run knew it.
        terms: of the month.
        period: the month.
        team: whose.
        features: id and name of the team's features.
        lines: of the cost sheet.
        told: whether the run knew of decisions, so that each budget has a row; so has a feature
            that the default limit held back.
    """
    budgets = books.budgets
    held = [each for each in sorted(features) if budgets.in_force(each[0], period) is not None]
    own = budgets.row_of("team", team, period) if told else None
    if own is not None and own.carries:
        own = None  # of no month, and so on the paper of none
    beside = _under_default(books, period, features) if told else []
    if not held and not beside and own is None:
        return None
    nanos = [budgets.in_force(feature, period) or 0 for feature, _ in held]
    picos = [_used_pico(lines, terms, team, feature) for feature, _ in held]
    total_cents, used_cents = cents_of_nano(sum(nanos)), cents_of_nano(nano_of_pico(sum(picos)))
    if not told:
        return BudgetUse(total_cents, used_cents)
    keys = [feature for feature, _ in held]
    force = cents_of_lines(nanos, keys, f"budget:{period}:{team}")
    used = cents_of_lines(cumulative_nano(picos), keys, f"used:{period}:{team}")
    rows = [
        _row(books, terms, period, team, row, name, in_force_cents, cents)
        for (feature, name), in_force_cents, cents in zip(held, force, used, strict=True)
        if (row := budgets.budget_of(feature, period))
    ]
    for feature, name, row in beside:
        nano = row.monthly_nano + budgets.granted_nano("feature", feature, period)
        used_nano = nano_of_pico(_used_pico(lines, terms, team, feature))
        amounts = cents_of_nano(nano), cents_of_nano(used_nano)
        rows.append(_row(books, terms, period, "", row, f"{name}, default limit", *amounts))
    if own is not None:
        rows.append(_team_row(books, terms, period, team, own, lines))
    return BudgetUse(total_cents, used_cents, tuple(rows))


def _under_default(
    books: Books, period: Period, features: Sequence[tuple[str, str]]
) -> list[tuple[str, str, Budget]]:
    """The features that the default limit held back: told of, and in no sum."""
    stated = books.budgets.default
    acted = {one.budget for one in books.budgets.acted}
    return [
        (feature, name, replace(stated, feature=feature))
        for feature, name in sorted(features)
        if stated is not None
        and f"feature:{feature}" in acted
        and books.budgets.budget_of(feature, period) is None
    ]


def _used_pico(
    lines: Sequence[AttributedLine], terms: Terms, team: str, feature: str | None
) -> int:
    return sum(
        line.card_pico
        for line in lines
        if line.owner.team == team
        and feature in (None, line.owner.feature)
        and not terms.is_pooled(line)
    )


def _row(
    books: Books,
    terms: Terms,
    period: Period,
    team: str,
    row: Budget,
    name: str,
    in_force_cents: int,
    used_cents: int,
) -> BudgetRow:
    policy = terms.policy.policy_for(team)
    by_budget = bool(team) and row.scope == "feature" and policy.model == "use_case_budget"
    return BudgetRow(
        scope=row.scope,
        subject=row.subject,
        name=name,
        charge=policy.charge if by_budget else "",
        over=row.over,
        monthly_cents=cents_of_nano(row.monthly_nano),
        in_force_cents=in_force_cents,
        used_cents=used_cents,
        decisions=tuple(sorted(_decisions(books, period, row), key=lambda one: one.order)),
        acts=tuple(
            BudgetAct(one.act, one.calls, cents_of_nano(one.estimate_nano))
            for one in books.budgets.acted
            if one.budget == f"{row.scope}:{row.subject}"
        ),
    )


def _team_row(
    books: Books,
    terms: Terms,
    period: Period,
    team: str,
    own: Budget,
    lines: Sequence[AttributedLine],
) -> BudgetRow:
    """The limit of the whole team: beside the budgets of its features, in none of their sums."""
    nano = own.monthly_nano + books.budgets.granted_nano("team", team, period)
    used = cents_of_nano(nano_of_pico(_used_pico(lines, terms, team, None)))
    return _row(books, terms, period, team, own, "Whole team", cents_of_nano(nano), used)


def _decisions(books: Books, period: Period, row: Budget) -> Iterator[BudgetDecision]:
    calendar, budgets = books.calendar, books.budgets
    key = (row.scope, row.subject, period)
    for filed in budgets.increases:
        if ("feature", filed.feature, filed.period) == key:
            yield _decision("approved", filed.amount_nano, filed.approved_by, filed.approved_on)
    for grant in budgets.grants:
        if (grant.scope, grant.subject, grant.period) == key:
            on, until = calendar.date_of(grant.from_us), _expiry(grant.until_us, calendar)
            yield _decision("approved", grant.amount_nano, grant.approved_by, on, grant, until)
    for denial in budgets.denials:
        if (denial.scope, denial.subject, denial.period) == key:
            on = calendar.date_of(denial.at_us)
            yield _decision("denied", denial.asked_nano, denial.denied_by, on, denial)


def _decision(
    verdict: str,
    nano: int,
    decided_by: str,
    on: str,
    asked: Grant | Denial | None = None,
    expires: str = "",
) -> BudgetDecision:
    """A decision in words; an increase of the file names nobody who asked."""
    return BudgetDecision(
        verdict=verdict,
        amount_cents=cents_of_nano(nano),
        decided_by=decided_by,
        on=on,
        requested_by=asked.requested_by if asked else "",
        reason=asked.reason if asked else "",
        expires=expires,
        request=asked.request if asked else 0,
    )


def _expiry(until_us: int, calendar: Calendar) -> str:
    return "" if until_us == FOREVER_US else calendar.date_of(until_us)
