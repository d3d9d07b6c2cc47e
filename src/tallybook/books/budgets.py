"""Budgets as typed, frozen data: limits of a month or in all, what was decided about them.

Part of the model of the books (`tallybook.books.model`), whose conventions hold here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Final, Literal, get_args

from tallybook.books.span import FOREVER_US
from tallybook.clock import Period
from tallybook.money import Nano

Over = Literal["none", "stop", "throttle", "downgrade", "approval"]
Resets = Literal["monthly", "never"]
BudgetScope = Literal["feature", "team", "unit", "key", "customer"]

OVERS: Final[tuple[Over, ...]] = get_args(Over)
RESETS: Final[tuple[Resets, ...]] = get_args(Resets)
BUDGET_SCOPES: Final[tuple[BudgetScope, ...]] = get_args(BudgetScope)
EACH: Final = "*"


@dataclass(frozen=True, slots=True)
class Budget:
    """A budget, from a period until before ``to_period`` (None: open).

    It is of a month, or ``resets`` never: then ``monthly_nano`` is its amount in all, and what was
    used in one month is gone in the next, until somebody grants more.

    Exactly one of ``feature``, ``team``, ``unit``, ``key`` and ``customer`` is set; a ``customer``
    of ``EACH`` means each one by itself. ``over`` is what the gateway does beyond the amount:
    ``throttle`` keeps ``calls_per_minute``, ``downgrade`` lets the model that it names answer
    instead, both until ``up_to`` of the amount is spent.
    """

    feature: str
    from_period: Period
    to_period: Period | None
    monthly_nano: int
    warn: tuple[Fraction, ...]
    over: Over
    approvers: tuple[str, ...]
    team: str = ""
    unit: str = ""
    key: str = ""
    customer: str = ""
    calls_per_minute: int = 0
    up_to: Fraction = Fraction(1)
    downgrade: Mapping[str, str] = field(default_factory=dict)
    resets: Resets = "monthly"

    @property
    def carries(self) -> bool:
        """Whether it goes on from month to month with what is left of it."""
        return self.resets == "never"

    def covers(self, period: Period) -> bool:
        """Whether the budget holds in the period."""
        return self.from_period <= period and (self.to_period is None or period < self.to_period)

    @property
    def scope(self) -> BudgetScope:
        """What it is a budget of."""
        return next(scope for scope in BUDGET_SCOPES if getattr(self, scope))

    @property
    def subject(self) -> str:
        """The id of what it is a budget of."""
        return str(getattr(self, self.scope))


@dataclass(frozen=True, slots=True)
class Increase:
    """An approved addition to the budget of one month; ``approved_on`` is a date as text.

    ``from_us`` is the start of that day in the company's zone.
    """

    feature: str
    period: Period
    amount_nano: int
    approved_by: str
    approved_on: str
    from_us: int = 0


@dataclass(frozen=True, slots=True)
class Grant:
    """An increase that its approver decided on while the month ran: kept by the store, in no file.

    Attributes:
        number: of the decision; later ones are higher.
        scope: what the budget is of, such as ``feature``; ``subject`` is its id.
        period: the month that it adds to.
        amount_nano: what it adds.
        from_us: from when on it is in force.
        until_us: until when; ``FOREVER_US`` is the end of the month.
        approved_by: who decided; ``requested_by`` asked for it, for ``reason``.
        request: the number of the request.
    """

    number: int
    scope: str
    subject: str
    period: Period
    amount_nano: int
    from_us: int
    until_us: int
    approved_by: str
    requested_by: str
    reason: str
    request: int

    def holds(self, at_us: int | None) -> bool:
        """Whether it is in force at an instant of its month; None is the month's end."""
        if at_us is None:
            return self.until_us == FOREVER_US
        return self.from_us <= at_us < self.until_us


@dataclass(frozen=True, slots=True)
class Denial:
    """More of a budget that was asked for and denied by its approver, for ``reason``."""

    number: int
    scope: str
    subject: str
    period: Period
    asked_nano: int
    denied_by: str
    requested_by: str
    reason: str
    at_us: int
    request: int


@dataclass(frozen=True, slots=True)
class Acted:
    """How many calls of a month met an act at a budget, such as ``stop``, and what they would cost.

    ``budget`` is its name, ``feature:refund-bot``; ``estimate_nano`` is at most.
    """

    budget: str
    act: str
    calls: int
    estimate_nano: int


@dataclass(frozen=True, slots=True)
class Budgets:
    """Every budget, and every increase that was approved in its own month.

    ``increases`` stand in budgets.yaml, ``grants`` are those that the store keeps; both count
    alike. ``denials`` and ``acted`` are told of and change nothing. ``default`` limits every use
    case that has no budget of its own: it holds calls back, and nobody is charged for it.
    """

    budgets: tuple[Budget, ...] = ()
    increases: tuple[Increase, ...] = ()
    grants: tuple[Grant, ...] = ()
    default: Budget | None = None
    denials: tuple[Denial, ...] = ()
    acted: tuple[Acted, ...] = ()

    def granted(
        self, grants: Iterable[Grant], denials: Iterable[Denial] = (), acted: Iterable[Acted] = ()
    ) -> Budgets:
        """The same budgets with what was decided beside the files, and what came of them."""
        return replace(self, grants=tuple(grants), denials=tuple(denials), acted=tuple(acted))

    def budget_of(self, feature: str, period: Period) -> Budget | None:
        """The budget of a feature in a period, without increases; None when there is none."""
        return self.row_of("feature", feature, period)

    def row_of(self, scope: BudgetScope, subject: str, period: Period) -> Budget | None:
        """The budget of anything that has one by its own name; None when there is none."""
        rows = (
            row
            for row in self.budgets
            if subject and getattr(row, scope) == subject and row.covers(period)
        )
        return next(rows, None)

    def in_force(self, feature: str, period: Period, at_us: int | None = None) -> Nano | None:
        """The budget of a feature with its approved increases: the one law of what is in force.

        Args:
            feature: whose.
            period: of which month.
            at_us: at which instant of it; None is its end. An increase of the file counts from the
                start of its day on, a grant from its decision on and until it expires.

        Returns:
            None without a budget of the month: there is nothing to increase then. One that carries
            is of no month; see `tallybook.budget.carried`.
        """
        budget = self.budget_of(feature, period)
        if budget is None or budget.carries:
            return None
        return Nano(budget.monthly_nano + self.added(feature, period, at_us))

    def added(self, feature: str, period: Period, at_us: int | None = None) -> int:
        """What increases add to a feature's budget, in nano; see `in_force`."""
        filed = (
            row.amount_nano
            for row in self.increases
            if (row.feature, row.period) == (feature, period)
            and (at_us is None or row.from_us <= at_us)
        )
        return sum(filed) + self.granted_nano("feature", feature, period, at_us)

    def granted_nano(
        self, scope: str, subject: str, period: Period, at_us: int | None = None
    ) -> int:
        """What grants add to a budget of any scope, in nano; see `in_force`."""
        return sum(
            row.amount_nano
            for row in self.grants
            if (row.scope, row.subject, row.period) == (scope, subject, period) and row.holds(at_us)
        )
