"""What allocation takes and gives. All amounts are nano (scale 9), debit positive.

A `CostCell` is rated usage summed to the grain that the ledger keeps. An `AllocatedLine` is one
signed amount on one account with its dimensions; the lines of one ``group`` sum to zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from tallybook.attribute.model import TransferUse
from tallybook.books.model import PolicyVersion

Weight = int | Fraction
"""A driver quantity: whole in the books, a fraction when a saving is simulated."""


@dataclass(frozen=True, slots=True)
class CostCell:
    """Usage of one (provider, payer, feature, purpose, kind, service, ...) in one period.

    ``kind`` is ``usage``, or ``transfer`` when another team's service ran it for the payer.
    ``fallback`` says that no tag, rule, key or service named the payer (state *unallocated*).
    ``origin`` is the team that started it and ``transfer`` the rule that made the payer pay, as
    `tallybook.attribute.model.Owner` has them; without an origin the payer is it.
    """

    provider: str
    team: str
    feature: str
    purpose: str
    kind: str
    service: str
    executor: str
    fallback: bool
    calls: Weight
    tokens: Weight
    card_pico: Weight
    """exact value at rate card: what a cost driver weighs"""
    card_nano: int
    variance_nano: int
    """contract minus rate card"""
    origin: str = ""
    transfer: str = ""


@dataclass(frozen=True, slots=True)
class PoolAmount:
    """A cost pool's amounts for a period. ``actual_nano`` is the policy amount until entered."""

    pool: str
    policy_nano: int
    actual_nano: int


@dataclass(frozen=True, slots=True)
class CapacityCost:
    """What one capacity costs a pool in a period.

    ``provider`` bills it; without one it mirrors what the ERP holds. ``full`` is how many tokens
    it carries in the time that it stands, None where nobody knows; ``serves`` whether calls run on
    it.
    """

    id: str
    pool: str
    provider: str
    amount_nano: int
    full: Fraction | None
    serves: bool


@dataclass(frozen=True, slots=True)
class Month:
    """Everything that allocation may look at.

    ``teams`` are all teams of the period; ``unowned`` is the central one, outside every driver.
    ``budgets`` are the budgets in force at month end, by feature.
    """

    period: str
    cells: tuple[CostCell, ...]
    policy: PolicyVersion
    pools: tuple[PoolAmount, ...]
    budgets: Mapping[str, int]
    teams: tuple[str, ...]
    unowned: str
    owner_of: Mapping[str, str] = field(default_factory=dict)
    """the team of each feature at month end"""
    headcounts: Mapping[str, int | None] = field(default_factory=dict)
    """the teams that exist at month end, and their headcount where it is stated"""
    uses: tuple[TransferUse, ...] = ()
    """what is owed between teams at transfer prices"""
    feature_of: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """the feature of a service in a team: where the team sees what the service earns"""
    capacity: tuple[CapacityCost, ...] = ()
    """what is paid by time and not by the token"""
    capacity_use: Mapping[str, Mapping[str, Weight]] = field(default_factory=dict)
    """the tokens that each team, the central one too, ran on each pool of capacity"""

    @property
    def payers(self) -> tuple[str, ...]:
        """The teams that a driver may reach: all but the central one, sorted."""
        return tuple(sorted(team for team in self.teams if team != self.unowned))

    def model_of(self, team: str) -> str:
        """The chargeback model of a team."""
        return self.policy.policy_for(team).model

    def is_charged(self, team: str) -> bool:
        """Whether what a team bears is charged: it is neither on showback nor the central team."""
        return team != self.unowned and self.model_of(team) != "showback"

    def is_pooled(self, cell: CostCell) -> bool:
        """Whether the cell is evaluation that the quality pool pays."""
        return (
            self.policy.evaluation.funding == "pooled"
            and cell.purpose == "evaluation"
            and cell.team != self.unowned
        )

    def charged_cells(self, model: str) -> list[CostCell]:
        """The cells that teams on ``model`` bear directly: theirs, without pooled evaluation."""
        return [
            cell
            for cell in self.cells
            if cell.team != self.unowned
            and not self.is_pooled(cell)
            and self.model_of(cell.team) == model
        ]


@dataclass(frozen=True, slots=True)
class AllocatedLine:
    """One signed amount on one account."""

    group: str
    account: str
    amount_nano: int
    team: str = ""
    feature: str = ""
    purpose: str = ""
    kind: str = ""
    provider: str = ""
    service: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class PoolShare:
    """What each team's share of a pool is, and by which weights.

    ``driver`` is the one that was used; ``empty`` are those before it, whose base was zero.
    ``amounts_nano`` sums to ``total_nano`` unless every base is empty; then it is empty too and
    the pool stays central. A pool of capacity has three shares, one for each ``part``: reserved,
    used, idle; what is central of them is not among the amounts.
    """

    pool: str
    driver: str
    total_nano: int
    weights: Mapping[str, Weight]
    amounts_nano: Mapping[str, int]
    is_evaluation: bool = False
    empty: tuple[str, ...] = ()
    part: str = ""

    @property
    def label(self) -> str:
        """The pool, with its part where it has parts: what statements call it."""
        return f"{self.pool} {self.part}" if self.part else self.pool


@dataclass(frozen=True, slots=True)
class PoolFlow:
    """What one pool passes on to another, in nano."""

    giver: str
    taker: str
    amount_nano: int


@dataclass(frozen=True, slots=True)
class Allocation:
    """The outcome for a month: cost layer, charge layer, memo; the pool shares and flows behind."""

    cost: tuple[AllocatedLine, ...]
    charge: tuple[AllocatedLine, ...]
    memo: tuple[AllocatedLine, ...]
    shares: tuple[PoolShare, ...] = field(default=())
    flows: tuple[PoolFlow, ...] = field(default=())

    @property
    def lines(self) -> tuple[AllocatedLine, ...]:
        """All lines, cost first."""
        return self.cost + self.charge + self.memo
