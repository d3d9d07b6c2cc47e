"""Which limits a call is under, in one month, with everything in force at one instant.

Every ancestor must admit a call: its feature, the team that answers for the feature, the team's
unit, its key, its customer. A use case without a budget of its own is under the default; features
that the books do not know share one default, so that a name made up opens no new budget. Customers
are known here by a digest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from hashlib import sha256
from typing import Any, Final

from tallybook.books.budgets import EACH, Budget, Budgets
from tallybook.books.model import Books
from tallybook.budget.model import Limit, Scope
from tallybook.clock import Period
from tallybook.money import proportional

UNKNOWN: Final = "-"
"""The use case of calls that name none that the books know."""
_DIGITS: Final = 16
_KEPT: Final = 50_000


@dataclass(slots=True, kw_only=True)
class Limits:
    """The limits of a month.

    Attributes:
        period: the month, from ``from_us`` until before ``to_us``.
        rows: those with a budget of their own, by name.
        default: of each use case that has none.
        each_customer: of each customer that has none.
        team_of: the team that answers for each feature; ``unit_of`` the unit of each team.
        spent_before: by name of the budget, what was spent outside of the gateways' own count.
        currency: of the amounts.
        nodes: how many gateways share the budgets.
    """

    period: Period
    from_us: int
    to_us: int
    rows: Mapping[str, Limit] = field(default_factory=dict)
    default: Limit | None = None
    each_customer: Limit | None = None
    team_of: Mapping[str, str] = field(default_factory=dict)
    unit_of: Mapping[str, str] = field(default_factory=dict)
    spent_before: Mapping[str, int] = field(default_factory=dict)
    currency: str = ""
    nodes: int = 1
    _found: dict[tuple[str, str, str, str], tuple[Limit, ...]] = field(
        default_factory=dict, compare=False
    )
    _kept: frozenset[str] = field(default=frozenset(), compare=False)

    @property
    def kept(self) -> frozenset[str]:
        """How the names of the accounts begin that are in use: the month, and what carries."""
        if not self._kept:
            found = [*self.rows.values(), *([self.each_customer] if self.each_customer else [])]
            heads = (one.account.partition("/")[0] for one in found if one.since)
            self._kept = frozenset({str(self.period), *heads})
        return self._kept

    def of(self, team: str, feature: str, key: str, customer: str) -> tuple[Limit, ...]:
        """The limits that a call is under; a name that is empty is under none.

        Args:
            team: that the call names; the team that answers for its feature comes first.
            feature: that the call names.
            key: the id of its key.
            customer: that the call names.
        """
        asked = (team, feature, key, customer)
        found = self._found.get(asked)
        if found is None:
            if len(self._found) >= _KEPT:
                self._found.clear()
            found = self._found[asked] = tuple(self._limits(*asked))
        return found

    def _limits(self, team: str, feature: str, key: str, customer: str) -> list[Limit]:
        team = self.team_of.get(feature, team)
        names: tuple[tuple[Scope, str], ...] = (
            ("feature", feature),
            ("team", team),
            ("unit", self.unit_of.get(team, "")),
            ("key", key),
            ("customer", digest_of(customer) if customer else ""),
        )
        found = (self.named(scope, subject) for scope, subject in names)
        return [limit for limit in found if limit is not None]

    def named(self, scope: Scope, subject: str) -> Limit | None:
        """The limit of something, its own or the default of such things."""
        own = self.rows.get(f"{scope}:{subject}")
        if own is not None:
            return own
        stands_for = None
        if scope == "feature":
            stands_for = self.default
            subject = subject if subject in self.team_of else UNKNOWN
        elif scope == "customer" and subject:
            stands_for = self.each_customer
        if stands_for is None:
            return None
        before_nano = self.spent_before.get(f"{scope}:{subject}", 0)
        return replace(stands_for, subject=subject, spent_before_nano=before_nano)


def kept_accounts(months: Iterable[Limits]) -> set[str]:
    """How the names of the accounts begin that are in use in some months."""
    return {name for one in months for name in one.kept}


def limits_in_force(
    books: Books, period: Period, at_us: int, spent_before: Mapping[str, int] | None = None
) -> Limits:
    """The limits of a month as they stand at an instant.

    Args:
        books: with the grants of the month, and of months before of what carries
            (`tallybook.budget.carried.with_all_grants`).
        period: the month.
        at_us: the instant: increases and the org chart are those in force then.
        spent_before: see `Limits`.
    """
    before = spent_before or {}
    from_us, to_us = books.calendar.bounds_us(period)
    rows: dict[str, Limit] = {}
    each_customer = None
    for row in books.budgets.budgets:
        if not row.covers(period):
            continue
        limit = _limit(row, period, _in_force(books.budgets, row, period, at_us))
        if row.customer == EACH:
            each_customer = limit
            continue
        if row.customer:
            limit = replace(limit, subject=digest_of(row.customer))
        rows[limit.budget] = replace(limit, spent_before_nano=before.get(limit.budget, 0))
    stated, org = books.budgets.default, books.org
    default = None
    if stated is not None:
        default = replace(_limit(stated, period, stated.monthly_nano), is_default=True)
        for name in {one.id for one in org.features if one.span.holds(at_us)}:
            more_nano = books.budgets.granted_nano("feature", name, period, at_us)
            if more_nano and f"feature:{name}" not in rows:
                raised = _limit(stated, period, stated.monthly_nano + more_nano)
                before_nano = before.get(f"feature:{name}", 0)
                rows[f"feature:{name}"] = replace(
                    raised, subject=name, is_default=True, spent_before_nano=before_nano
                )
    return Limits(
        period=period,
        from_us=from_us,
        to_us=to_us,
        rows=rows,
        default=default,
        each_customer=each_customer,
        team_of={one.id: one.team for one in org.features if one.span.holds(at_us)},
        unit_of={one.id: one.unit for one in org.teams if one.span.holds(at_us)},
        spent_before=before,
        currency=org.company.currency,
    )


def digest_of(customer: str) -> str:
    """What a customer is called where its name must not stand."""
    return f"~{sha256(customer.encode()).hexdigest()[:_DIGITS]}"


def _in_force(budgets: Budgets, row: Budget, period: Period, at_us: int) -> int:
    if row.feature and not row.carries:
        return budgets.in_force(row.feature, period, at_us) or row.monthly_nano
    return row.monthly_nano + budgets.granted_nano(row.scope, row.subject, period, at_us)


def _limit(row: Budget, period: Period, limit_nano: int) -> Limit:
    return Limit(
        scope=row.scope,
        subject=row.subject,
        period=period,
        limit_nano=limit_nano,
        warn=row.warn,
        over=row.over,
        up_to_nano=proportional(limit_nano, row.up_to.numerator, row.up_to.denominator),
        calls_per_minute=row.calls_per_minute,
        downgrade=row.downgrade,
        approvers=row.approvers,
        since=row.from_period if row.carries else None,
    )


def as_plain(limits: Limits) -> dict[str, Any]:
    """The limits as JSON holds them."""
    return {
        "period": str(limits.period),
        "from_us": limits.from_us,
        "to_us": limits.to_us,
        "rows": [_plain_limit(row) for row in limits.rows.values()],
        "default": _plain_limit(limits.default) if limits.default else None,
        "each_customer": _plain_limit(limits.each_customer) if limits.each_customer else None,
        "team_of": dict(limits.team_of),
        "unit_of": dict(limits.unit_of),
        "spent_before": dict(limits.spent_before),
        "currency": limits.currency,
        "nodes": limits.nodes,
    }


def from_plain(data: Mapping[str, Any]) -> Limits:
    """What `as_plain` made."""
    rows: Sequence[Limit] = [_limit_of(row) for row in data["rows"]]
    default, customers = data["default"], data["each_customer"]
    return Limits(
        period=Period.parse(data["period"]),
        from_us=data["from_us"],
        to_us=data["to_us"],
        rows={row.budget: row for row in rows},
        default=_limit_of(default) if default else None,
        each_customer=_limit_of(customers) if customers else None,
        team_of=data["team_of"],
        unit_of=data["unit_of"],
        spent_before=data["spent_before"],
        currency=data["currency"],
        nodes=data["nodes"],
    )


def _plain_limit(limit: Limit) -> dict[str, Any]:
    return {
        "scope": limit.scope,
        "subject": limit.subject,
        "period": str(limit.period),
        "limit_nano": limit.limit_nano,
        "warn": [[share.numerator, share.denominator] for share in limit.warn],
        "over": limit.over,
        "up_to_nano": limit.up_to_nano,
        "calls_per_minute": limit.calls_per_minute,
        "downgrade": dict(limit.downgrade),
        "approvers": list(limit.approvers),
        "is_default": limit.is_default,
        "spent_before_nano": limit.spent_before_nano,
        "since": str(limit.since) if limit.since else None,
    }


def _limit_of(data: Mapping[str, Any]) -> Limit:
    told = dict(data)
    told["period"] = Period.parse(told["period"])
    told["since"] = Period.parse(told["since"]) if told.get("since") else None
    told["warn"] = tuple(Fraction(*share) for share in told["warn"])
    told["approvers"] = tuple(told["approvers"])
    return Limit(**told)
