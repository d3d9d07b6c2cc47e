"""Limits in force, what calls hold of them, and the notices that acts at a limit leave.

Amounts are whole nano (scale 9) of the books' currency. Instants are microseconds since 1970 UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final, Literal, get_args

from tallybook.books.budgets import Over
from tallybook.clock import Period

Scope = Literal["feature", "team", "unit", "key", "customer"]
"""What a limit is of. A call is under one of each that names it, and every one must admit it."""

Act = Literal["warn", "stop", "approval", "throttle", "downgrade", "busy", "unpriced", "blind"]
"""What was done at a limit. ``warn``: a level was passed. ``stop`` and ``approval``: refused.
``throttle``: refused to keep the published rate. ``downgrade``: a cheaper model answered. ``busy``:
refused while calls under way held what was left. ``unpriced``: refused, for nobody knows its price.
``blind``: nobody could say what was left, and the call was refused or let through by policy."""

SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)
ACTS: Final[tuple[Act, ...]] = get_args(Act)
SINCE: Final = "since "
"""How the name of an account begins that is of no month."""
REFUSALS: Final[frozenset[Act]] = frozenset({"stop", "approval", "throttle", "busy", "unpriced"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """What one budget allows in one month, or since it began, with every increase in force.

    Attributes:
        scope: what it is of; ``subject`` is the id of that.
        period: the month.
        limit_nano: the amount.
        warn: shares of the amount at which a warning is given, once each.
        over: what happens beyond the amount; ``none`` only shows it.
        up_to_nano: where calls stop even under ``throttle`` and ``downgrade``.
        calls_per_minute: the published rate of ``throttle``.
        downgrade: of ``downgrade``, the allowed cheaper model of each.
        approvers: who may approve more.
        is_default: whether it stands for every use case that has no budget of its own.
        spent_before_nano: what was spent outside of the gateways' own count.
        since: of a budget that does not reset, its first month; None where it begins anew.
    """

    scope: Scope
    subject: str
    period: Period
    limit_nano: int
    warn: tuple[Fraction, ...] = ()
    over: Over = "none"
    up_to_nano: int = 0
    calls_per_minute: int = 0
    downgrade: Mapping[str, str] = field(default_factory=dict)
    approvers: tuple[str, ...] = ()
    is_default: bool = False
    spent_before_nano: int = 0
    since: Period | None = None

    @property
    def budget(self) -> str:
        """What it is called: ``feature:refund-bot``."""
        return f"{self.scope}:{self.subject}"

    @property
    def account(self) -> str:
        """Under which name it is counted: one that does not reset has one name in every month."""
        return f"{self.period if self.since is None else f'{SINCE}{self.since}'}/{self.budget}"

    @property
    def is_enforced(self) -> bool:
        """Whether a call may be refused by it."""
        return self.over != "none"

    @property
    def ceiling_nano(self) -> int:
        """The amount that is never passed, as far as calls are held to it."""
        return max(self.limit_nano, self.up_to_nano)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a call may cost, before it is made.

    ``hold_nano`` is reserved while it is under way. ``need_nano`` must be free for it to be let
    through; it is more where the hold is what such a call usually costs and not its bound.
    """

    need_nano: int
    hold_nano: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """An act at a limit, as it is kept: alike ones of one moment are counted together.

    Attributes:
        notice_id: made once; a notice that is told twice counts once.
        at_us: of the first.
        period: the month whose limit it was.
        budget: whose limit acted: ``feature:refund-bot``. Of a customer it is ``customer:`` and a
            digest, never the name.
        act: what was done.
        team: of the calls; empty where nobody named one. So are ``feature``, ``key_id``, ``model``.
        model: that was asked for; ``instead`` is the one that answered under ``downgrade``.
        level: of a warning, the share that was passed, as text: ``80%``.
        calls: how many.
        estimate_nano: what they would have cost at most, together; of a warning 0.
        limit_nano: of the budget then; ``spent_nano`` what was spent and held of it.
        reason: in words.
    """

    notice_id: str
    at_us: int
    period: str
    budget: str
    act: Act
    team: str = ""
    feature: str = ""
    key_id: str = ""
    model: str = ""
    instead: str = ""
    level: str = ""
    calls: int = 1
    estimate_nano: int = 0
    limit_nano: int = 0
    spent_nano: int = 0
    reason: str = ""


RequestKind = Literal["increase", "use_case"]
"""What is asked for: more of a budget in one month, or a use case with a budget of its own."""

Verdict = Literal["approved", "denied"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What an approver decided on a request; it is never changed.

    Attributes:
        seq: of the decision, over all requests.
        amount_nano: what was approved, 0 if it was denied; ``from_us`` until ``until_us`` (0: the
            month's end) it is in force.
        decided_by: not the one who asked.
    """

    seq: int
    verdict: Verdict
    amount_nano: int
    from_us: int
    until_us: int
    reason: str
    decided_by: str
    at_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Somebody asks for more of a budget, or for a use case to begin.

    Attributes:
        id: its number.
        scope: of the budget; ``subject`` is the id of what it is of.
        period: the month; None for a use case, which begins when it is approved.
        amount_nano: asked for: beside the budget of the month, or as the monthly budget.
        until_us: until when it is needed; 0 is the month's end.
        details: of a use case, what was proposed: model, volume, estimate, alternatives.
        decision: None while nobody decided.
    """

    id: int
    kind: RequestKind
    scope: Scope
    subject: str
    period: Period | None
    amount_nano: int
    until_us: int
    reason: str
    requested_by: str
    at_us: int
    details: Mapping[str, Any] = field(default_factory=dict)
    decision: Decision | None = None

    @property
    def budget(self) -> str:
        """What the budget is called: ``feature:refund-bot``."""
        return f"{self.scope}:{self.subject}"
