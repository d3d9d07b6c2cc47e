"""The books as typed, frozen data: who answers for what, under which policy, prices and budgets.

Empty text means "none" everywhere, so that keys compare simply. Mappings are read-only and ordered
by key. Instants are microseconds since the epoch in UTC; spans are half-open.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final, Literal, get_args

from tallybook.books.budgets import Budgets
from tallybook.books.closing import Closing
from tallybook.books.span import ALWAYS as ALWAYS  # noqa: PLC0414 - part of the model
from tallybook.books.span import FOREVER_US as FOREVER_US  # noqa: PLC0414 - part of the model
from tallybook.books.span import Span as Span  # noqa: PLC0414 - part of the model
from tallybook.books.terms import (
    Capacity,
    Commitment,
    Completeness,
    ContractRow,
    Credit,
    ExchangeRate,
)
from tallybook.clock import Calendar, Period
from tallybook.errors import AllocationError

Purpose = Literal[
    "production", "evaluation", "experiment", "development", "training", "batch", "internal"
]
Model = Literal["showback", "proportional", "real_cost", "use_case_budget"]
Charge = Literal["actual", "committed"]
Driver = Literal[
    "calls", "tokens", "cost", "production_cost", "headcount", "equal", "fixed", "capacity"
]
PoolMethod = Literal["direct", "step_down", "reciprocal"]
RecoveredBy = Literal["markup", "driver"]
Budgeting = Literal["cloud_finops", "annual_capex"]
Role = Literal["engineering", "product", "finance", "procurement", "capacity", "quality"]
State = Literal["unallocated", "unknown", "estimated", "unpriced"]

Transfer = Literal["caller_pays", "callee_absorbs", "split", "transfer_price"]
Per = Literal["call", "outcome"]
By = Literal["equal", "calls", "tokens"]

PURPOSES: Final[tuple[Purpose, ...]] = get_args(Purpose)
MODELS: Final[tuple[Model, ...]] = get_args(Model)
ROLES: Final[tuple[Role, ...]] = get_args(Role)
DRIVERS: Final[tuple[Driver, ...]] = get_args(Driver)
POOL_METHODS: Final[tuple[PoolMethod, ...]] = get_args(PoolMethod)
TRANSFERS: Final[tuple[Transfer, ...]] = get_args(Transfer)
PERS: Final[tuple[Per, ...]] = get_args(Per)
BYS: Final[tuple[By, ...]] = get_args(By)
CLAIMS_ANY: Final = "any"
CLAIMS_OWN: Final = "own"
BUDGETING: Final[tuple[Budgeting, ...]] = get_args(Budgeting)
STATES: Final[tuple[State, ...]] = get_args(State)

# What a rule may look at; labels are added as `labels.<key>`. Customer and user are not here: they
# are replaced by subject ids at ingest, and a subject must not decide who pays.
RULE_FIELDS: Final = (
    "provider",
    "model",
    "endpoint",
    "prompt_version",
    "key_id",
    "service",
    "environment",
    "cohort",
    "plan",
    "operation",
    "source",
    "team",
    "feature",
    "purpose",
)
RULE_SHORTHANDS: Final = {"project": "labels.project", "workspace": "labels.workspace"}


@dataclass(frozen=True, slots=True)
class Company:
    """Whose books these are. ``fiscal_year_start`` is a period as text: ``2026-01``.

    ``simulated`` marks a made-up company; every statement then says so.
    """

    name: str
    currency: str
    fiscal_year_start: str
    timezone: str
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class BusinessUnit:
    """A part of the company with a legal entity of its own or shared."""

    id: str
    name: str
    legal_entity: str


@dataclass(frozen=True, slots=True)
class Team:
    """A team while one set of facts holds; ``owners`` names a person per role."""

    id: str
    name: str
    unit: str
    cost_center: str
    headcount: int | None
    owners: Mapping[str, str]
    span: Span


@dataclass(frozen=True, slots=True)
class Feature:
    """A use case while one team owns it."""

    id: str
    team: str
    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class JointUse:
    """Which of a service's own calls serve everyone, and over whom they are spread.

    ``purposes`` are those of the joint calls; ``users_of`` is the service whose users share them.
    """

    purposes: tuple[str, ...]
    users_of: str
    by: By


@dataclass(frozen=True, slots=True)
class Service:
    """A tool or an agent that others call, while one team runs it.

    ``transfer`` says who pays when another team calls it. Of a split ``callee_weight`` and
    ``caller_weight`` are the parts; of a transfer price ``price_nano`` is owed ``per`` call or
    outcome. ``feature`` is the team's feature for what the team pays or earns with the service.
    """

    id: str
    name: str
    team: str
    transfer: Transfer
    span: Span
    callee_weight: int = 0
    caller_weight: int = 0
    price_nano: int = 0
    per: Per | Literal[""] = ""
    feature: str = ""
    joint: JointUse | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """What a provider key or virtual key says about the calls made with it.

    ``claims`` are the teams that the tags of its calls may name; None means any.
    """

    id: str
    team: str
    feature: str
    purpose: str
    span: Span
    claims: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """What a matching call belongs to. The lowest ``number`` that matches decides.

    ``when`` pairs fields of the call (``endpoint``, ``labels.prompt``) with globs; all must match.
    """

    number: int
    when: tuple[tuple[str, str], ...]
    team: str
    feature: str
    purpose: str
    span: Span


@dataclass(frozen=True, slots=True)
class Org:
    """Who answers for what. One id has several rows when its facts change; their spans differ.

    ``trusted_sources`` are those whose team and feature tags are believed; None means all.
    """

    company: Company
    units: tuple[BusinessUnit, ...]
    teams: tuple[Team, ...]
    features: tuple[Feature, ...]
    services: tuple[Service, ...]
    keys: tuple[Key, ...]
    rules: tuple[Rule, ...]
    unowned_team: str
    trusted_sources: tuple[str, ...] | None = None
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """who may sign for the books, by duty; empty where the company declares nobody"""


@dataclass(frozen=True, slots=True)
class TeamPolicy:
    """How one team is charged. ``markup`` is 0 but under ``real_cost``."""

    model: Model
    markup: Fraction = Fraction(0)
    charge: Charge = "actual"


@dataclass(frozen=True, slots=True)
class CostPool:
    """A shared cost and how it is spread; ``monthly_nano`` is the policy amount.

    Without a policy amount the pool is filled by pooled evaluation. ``weights`` (team to whole
    number) belong to the driver ``fixed``. ``floor_nano`` is the least share of a non-zero weight.
    ``serves`` says which share of the pool other pools use; the rest is for teams. ``fallback``
    are the drivers to try, in this order, while the base is empty.
    """

    id: str
    monthly_nano: int | None
    driver: Driver
    weights: Mapping[str, int]
    floor_nano: int
    recovered_by: RecoveredBy
    serves: Mapping[str, Fraction] = field(default_factory=dict)
    fallback: tuple[Driver, ...] = ()
    reserved: Mapping[str, Fraction] = field(default_factory=dict)
    """under the driver ``capacity``: the share of the capacity that each team has reserved"""
    idle: str = ""
    """the team that answers for capacity that is neither reserved nor used"""

    @property
    def drivers(self) -> tuple[Driver, ...]:
        """The driver and what stands in for it."""
        return (self.driver, *self.fallback)

    @property
    def for_teams(self) -> Fraction:
        """The share of the pool that no other pool uses."""
        return 1 - sum(self.serves.values(), Fraction(0))


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Who bears evaluation calls: the caller, or a pool (then ``pool`` names it)."""

    funding: Literal["charged", "pooled"] = "charged"
    pool: str = ""


@dataclass(frozen=True, slots=True)
class RateCard:
    """The price that a team sees, and when it is frozen."""

    basis: Literal["contract", "list"] = "contract"
    freeze: Literal["monthly"] = "monthly"


@dataclass(frozen=True, slots=True)
class Alerts:
    """From where on `live` gives an alert; 0 turns one off.

    ``loop``: how often the same agent or tool runs in one trace. ``retries``: attempts of one
    operation. Fan-out: a trace of ``fan_out_least`` calls and ``fan_out_times`` the feature's own
    99th percentile of earlier days. Spend: an hour of ``spend_least_nano`` and ``spend_times`` what
    such an hour usually costs.
    """

    loop: int = 100
    retries: int = 8
    fan_out_times: int = 3
    fan_out_least: int = 50
    spend_times: int = 5
    spend_least_nano: int = 10_000_000_000


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """The policy from one period on, until the next version's first period.

    ``pool_order`` is the order in which `step_down` closes pools; other methods do not read it, as
    `direct` does not read what pools serve: so one word changes the method.
    """

    effective_from: Period
    default: TeamPolicy
    teams: Mapping[str, TeamPolicy]
    rate_card: RateCard
    pool_method: PoolMethod
    pools: tuple[CostPool, ...]
    evaluation: Evaluation
    variance: Literal["absorb", "recharge"]
    limits: Mapping[State, Fraction]
    pool_order: tuple[str, ...] = ()
    budgeting: Budgeting | None = field(default=None, compare=False)
    """how the company budgets, where stated; no amount depends on it, so stating it makes no new
    version of a month's policy"""
    alerts: Alerts | None = field(default=None, compare=False)
    """when `live` gives an alert, where stated; no amount depends on it either"""
    completeness: Completeness | None = field(default=None, compare=False)
    """the accrual for usage that is not metered; no run depends on it"""
    tolerance: str = field(default="", compare=False)
    """up to which amount a variance of an invoice is routed to accept; it moves no amount"""
    closing: Closing = field(default=Closing(), compare=False)
    """what else stops a close, where stated; no amount depends on it"""

    def policy_for(self, team: str) -> TeamPolicy:
        """How this team is charged: its own entry, else the default."""
        return self.teams.get(team, self.default)


@dataclass(frozen=True, slots=True)
class Policy:
    """Every version of the policy, the earliest first."""

    versions: tuple[PolicyVersion, ...]

    def at(self, period: Period) -> PolicyVersion:
        """The version in force in a period: the latest that is effective by then.

        Raises:
            AllocationError: the first version takes effect after the period.
        """
        in_force = [version for version in self.versions if version.effective_from <= period]
        if not in_force:
            first = self.versions[0].effective_from
            raise AllocationError(
                f"no policy is in force in {period}: the first takes effect in {first}",
                where="policy.yaml",
                next_step=f"add a version with effective_from: {period} or earlier, and apply",
            )
        return in_force[-1]

    def budgeting_at(self, period: Period) -> Budgeting | None:
        """How the company budgets in a period: the last answer by then; None if none was given."""
        answers = [each.budgeting for each in self.versions if each.effective_from <= period]
        return next((answer for answer in reversed(answers) if answer), None)

    def alerts_at(self, period: Period) -> Alerts:
        """When alerts are given in a period: as last stated by then, else as by default."""
        stated = [each.alerts for each in self.versions if each.effective_from <= period]
        return next((alerts for alerts in reversed(stated) if alerts), Alerts())


@dataclass(frozen=True, slots=True)
class PriceAlias:
    """A model that the list knows under another name: price ``model`` as ``is_model``."""

    provider: str
    model: str
    is_provider: str
    is_model: str


@dataclass(frozen=True, slots=True)
class Prices:
    """Negotiated prices over the list, and other names of models."""

    contracts: tuple[ContractRow, ...] = ()
    aliases: tuple[PriceAlias, ...] = ()
    rates: tuple[ExchangeRate, ...] = ()
    commitments: tuple[Commitment, ...] = ()
    credits: tuple[Credit, ...] = ()
    capacity: tuple[Capacity, ...] = ()

    def rate_at(self, currency: str, instant_us: int) -> ExchangeRate | None:
        """The exchange rate of a currency that holds at an instant; None before the first."""
        held = [r for r in self.rates if r.currency == currency and r.from_us <= instant_us]
        return max(held, key=lambda rate: rate.from_us) if held else None


@dataclass(frozen=True, slots=True)
class Books:
    """All policy files of one moment, checked against each other."""

    org: Org
    policy: Policy
    prices: Prices
    budgets: Budgets
    calendar: Calendar = field(compare=False)
