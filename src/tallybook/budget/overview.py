"""Every budget of a month as it stands: what is in force, what is used, who may say more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tallybook.books.budgets import EACH
from tallybook.books.model import Books
from tallybook.budget.approvers import approvers_of, team_of
from tallybook.budget.limits import limits_in_force
from tallybook.budget.model import Limit, Request, Scope
from tallybook.clock import Period
from tallybook.errors import BudgetError
from tallybook.money import NANO_SCALE, PICO_PER_NANO, PICO_SCALE, format_share, format_units

Used = Mapping[tuple[str, str], int]
"""by team and feature, cost at the rate card in pico"""


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetState:
    """One budget at one instant of its month.

    Attributes:
        budget: what it is called: ``feature:refund-bot``.
        name: of what it is of, in words.
        team: that answers for it; empty where it is of several.
        monthly_nano: without increases; ``limit_nano`` is what is in force, ``month_end_nano`` what
            will be when the temporary increases are over.
        used_pico: of the month, or since it began if it does not reset; None where nobody can say.
        since: of a budget that does not reset, its first month; ``used_before_pico`` is what of
            its use was in the months before this one.
        over: what happens at the amount.
        approvers: who may say more; empty if nobody may.
        is_default: it is under the default, without a budget of its own.
        open_requests: how many wait for a decision.
        calls_acted: calls that were refused, throttled, downgraded and so on, by act.
    """

    budget: str
    scope: Scope
    subject: str
    name: str
    team: str
    period: Period
    monthly_nano: int
    limit_nano: int
    month_end_nano: int
    used_pico: int | None
    over: str
    approvers: tuple[str, ...]
    is_default: bool = False
    open_requests: int = 0
    calls_acted: Mapping[str, int] = field(default_factory=dict)
    since: Period | None = None
    used_before_pico: int = 0

    @property
    def remaining_pico(self) -> int | None:
        """What is left of what is in force; below zero it is overrun."""
        if self.used_pico is None:
            return None
        return self.limit_nano * PICO_PER_NANO - self.used_pico


def overview(
    books: Books,
    period: Period,
    at_us: int,
    used: Used | None,
    open_requests: Sequence[Request] = (),
    earlier: Mapping[str, int] | None = None,
) -> list[BudgetState]:
    """The budgets of a month, features first, then teams, units, keys and customers.

    Args:
        books: with what was decided on the month's budgets and what came of it.
        period: the month.
        at_us: an instant of it: what is in force then.
        used: what each use case spent in the month; None where nobody knows.
        open_requests: that wait for a decision.
        earlier: what was used in the months before of the budgets that do not reset, by name.
    """
    limits = limits_in_force(books, period, at_us)
    found = [*limits.rows.values(), *_under_default(books, limits.default, limits.rows, at_us)]
    found += [limits.each_customer] if limits.each_customer else []
    states = (_state(books, limit, at_us, used, earlier or {}) for limit in found)
    waiting = [request.budget for request in open_requests if request.period == period]
    acted: dict[str, dict[str, int]] = {}
    for one in books.budgets.acted:
        acted.setdefault(one.budget, {})[one.act] = one.calls
    order = ("feature", "team", "unit", "key", "customer")
    return sorted(
        (
            replace(
                one,
                open_requests=waiting.count(one.budget),
                calls_acted=acted.get(one.budget, {}),
            )
            for one in states
        ),
        key=lambda one: (order.index(one.scope), one.subject),
    )


def _under_default(
    books: Books, default: Limit | None, rows: Mapping[str, Limit], at_us: int
) -> Iterator[Limit]:
    if default is None:
        return
    for feature in books.org.features:
        if feature.span.holds(at_us) and f"feature:{feature.id}" not in rows:
            yield replace(default, subject=feature.id)


def _state(
    books: Books, limit: Limit, at_us: int, used: Used | None, earlier: Mapping[str, int]
) -> BudgetState:
    scope, subject, period = limit.scope, limit.subject, limit.period
    row = None if limit.is_default else books.budgets.row_of(scope, subject, period)
    at_end = limit.limit_nano
    if row is not None:
        at_end = row.monthly_nano + books.budgets.granted_nano(scope, subject, period)
        if scope == "feature":
            at_end = books.budgets.in_force(subject, period) or at_end
    month_pico = None if used is None else used_of(books, scope, subject, at_us, used)
    before_pico = 0 if limit.since is None else earlier.get(limit.budget)
    try:
        approvers = approvers_of(books, scope, subject, period, at_us)
    except BudgetError:
        approvers = ()
    return BudgetState(
        budget=limit.budget,
        scope=scope,
        subject=subject,
        name=_name(books, scope, subject, at_us),
        team=team_of(books, scope, subject, at_us),
        period=period,
        monthly_nano=row.monthly_nano if row else limit.limit_nano,
        limit_nano=limit.limit_nano,
        month_end_nano=at_end,
        used_pico=None if month_pico is None or before_pico is None else before_pico + month_pico,
        over=limit.over,
        approvers=approvers,
        is_default=limit.is_default,
        since=limit.since,
        used_before_pico=before_pico or 0,
    )


def used_of(books: Books, scope: Scope, subject: str, at_us: int, used: Used) -> int | None:
    """What counts against a budget; of keys and customers the books have no sums."""
    if scope == "feature":
        return sum(pico for (_, feature), pico in used.items() if feature == subject)
    if scope == "team":
        return sum(pico for (team, _), pico in used.items() if team == subject)
    if scope == "unit":
        teams = {t.id for t in books.org.teams if t.unit == subject and t.span.holds(at_us)}
        return sum(pico for (team, _), pico in used.items() if team in teams)
    return None


def _name(books: Books, scope: Scope, subject: str, at_us: int) -> str:
    rows: Mapping[str, Sequence[Any]] = {
        "feature": books.org.features,
        "team": books.org.teams,
        "unit": books.org.units,
    }
    for row in rows.get(scope, ()):
        span = getattr(row, "span", None)
        if row.id == subject and (span is None or span.holds(at_us)):
            return row.name or subject
    return "each customer" if subject == EACH else subject


def state_values(state: BudgetState) -> dict[str, Any]:
    """The machine form of a budget's state; an amount that nobody knows is null."""
    remaining = state.remaining_pico
    return {
        "budget": state.budget,
        "name": state.name,
        "team": state.team,
        "period": str(state.period),
        "monthly": format_units(state.monthly_nano, NANO_SCALE),
        "in_force": format_units(state.limit_nano, NANO_SCALE),
        "at_month_end": format_units(state.month_end_nano, NANO_SCALE),
        "used": None if state.used_pico is None else format_units(state.used_pico, PICO_SCALE),
        "remaining": None if remaining is None else format_units(remaining, PICO_SCALE),
        "used_share": None if state.used_pico is None else used_share(state),
        "over": state.over,
        "resets": "never" if state.since else "monthly",
        "since": str(state.since or ""),
        "used_before": None
        if state.used_pico is None
        else format_units(state.used_before_pico, PICO_SCALE),
        "approvers": list(state.approvers),
        "default": state.is_default,
        "open_requests": state.open_requests,
        "calls_acted": dict(state.calls_acted),
    }


def used_share(state: BudgetState) -> str:
    """How much of what is in force is used, as a percentage; empty without a budget or a use."""
    if state.used_pico is None or not state.limit_nano:
        return ""
    return format_share(state.used_pico, state.limit_nano * PICO_PER_NANO)
