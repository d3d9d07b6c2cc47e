"""Statements as frozen data: what a team is charged or shown, what stays central, and the tie.

A set that does not tie cannot be made: its constructor adds it up again, in cents, and refuses
with the figures. Whatever renders a set (text, page, CSV, JSON) can therefore trust it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from tallybook.errors import LedgerError
from tallybook.money import format_cents

Status = Literal["draft", "final", "corrected"]

LINE_KINDS = (
    "usage",
    "transfer",
    "markup",
    "pool",
    "evaluation",
    "commitment",
    "variance",
    "adjustment",
)
STATUSES = ("draft", "final", "corrected")

ROLES = ("caused", "joint", "paid_for", "owed", "earned", "run_for", "paid_by")
"""How another team stands to a line; see `Counterpart`."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """What was used: calls, tokens of all classes that bill, and other billed units by name."""

    calls: int
    tokens: int
    units: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Counterpart:
    """The other team of a line that is about a transfer, with the service and the rule.

    Attributes:
        role: what the other team is to the line.
            ``caused``: it ran what this team caused. ``joint``: it owns what serves all its users.
            ``paid_for``: it caused what this team pays. ``owed``, ``earned``: it is owed, or owes,
            a transfer price. ``run_for``: it pays what this team ran. ``paid_by``: it pays what
            this team caused. Lines of the last two inform and are not added.
        team: its id; several, as after a service changed hands, are joined by ``", "``.
        rule: by which the payer pays, such as ``split``.
    """

    role: str
    team: str
    service: str
    rule: str


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One line of a statement.

    Attributes:
        id: hash of the line's stable key; the same in every draft of the same content.
        feature: id of the feature, empty for a line that belongs to the whole team.
        kind: one of ``LINE_KINDS``.
        detail: what tells lines of one kind apart: pool, service, corrected statement.
        label: the words of the line; empty where feature and purpose say it all.
        amount_cents: of any sign; a credit is negative.
        shown_only: informs and is not added, such as evaluation that a pool pays; such a line
            stands in ``Statement.notes``, never in ``Statement.lines``.
        share: the team's share of a pool as text, ``"3.6 %"``, or empty.
        transfer: the other team, where one caused, ran or pays; else None.
    """

    id: str
    feature: str
    feature_name: str
    purpose: str
    kind: str
    detail: str
    label: str
    quantity: Quantity
    amount_cents: int
    shown_only: bool = False
    share: str = ""
    transfer: Counterpart | None = None

    @property
    def is_price(self) -> bool:
        """Whether it is a transfer price, owed or earned: no usage, and no markup on it."""
        return self.transfer is not None and self.transfer.role in ("owed", "earned")


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetDecision:
    """More of a budget, approved or denied: by whom, on which day, asked by whom and why.

    ``request`` is 0 for an increase of budgets.yaml, which nobody asked for here; ``expires`` is
    the first day on which it was not in force any more, empty for the month's end.
    """

    verdict: str
    amount_cents: int
    decided_by: str
    on: str
    requested_by: str = ""
    reason: str = ""
    expires: str = ""
    request: int = 0

    @property
    def order(self) -> tuple[str, int]:
        """By day, then as they were asked for."""
        return self.on, self.request


@dataclass(frozen=True, slots=True)
class BudgetAct:
    """What was done to calls at a budget, such as ``stop``; what they would have cost at most."""

    act: str
    calls: int
    estimate_cents: int


@dataclass(frozen=True, slots=True)
class BudgetRow:
    """One budget of a team: in force at month end, used, decided, acted on.

    ``charge`` is ``actual`` or ``committed`` where the team is charged by budget, else empty.
    """

    scope: str
    subject: str
    name: str
    charge: str
    over: str
    monthly_cents: int
    in_force_cents: int
    used_cents: int
    decisions: tuple[BudgetDecision, ...] = ()
    acts: tuple[BudgetAct, ...] = ()


@dataclass(frozen=True, slots=True)
class BudgetUse:
    """The budgets of a team's features in force at month end, and how much of them was used.

    ``rows`` are those budgets one by one, then the limit of the whole team where it has one, which
    is in no sum; none where the run knew of no decisions.
    """

    budget_cents: int
    used_cents: int
    rows: tuple[BudgetRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """What one team is charged, or under showback shown.

    Attributes:
        lines: add up to ``total_cents``.
        notes: lines that inform and are not added (``shown_only``).
        charged: false under showback: the total is shown and nobody pays it.
        model: one of the four chargeback models; ``model_label`` says it in words.
        previous_total_cents: total of the month before, if there was a statement.
    """

    team: str
    team_name: str
    unit: str
    unit_name: str
    cost_center: str
    model: str
    model_label: str
    charged: bool
    total_cents: int
    lines: tuple[StatementLine, ...]
    notes: tuple[StatementLine, ...] = ()
    previous_total_cents: int | None = None
    budget: BudgetUse | None = None

    def __post_init__(self) -> None:
        where = f"statement of {self.team}"
        added = sum(line.amount_cents for line in self.lines)
        _require_equal(added, self.total_cents, "lines", "total", where)
        _require_known((line.kind for line in (*self.lines, *self.notes)), LINE_KINDS, where)
        told = (line.transfer for line in (*self.lines, *self.notes))
        _require_known((each.role for each in told if each), ROLES, where)
        _require_distinct((line.id for line in self.lines), "line id", where)
        if any(line.shown_only for line in self.lines) or not all(
            note.shown_only for note in self.notes
        ):
            raise LedgerError(
                "a line that is only shown stands among lines, or an added one among notes",
                where=where,
                next_step="put shown_only lines into notes and all others into lines",
            )


@dataclass(frozen=True, slots=True)
class CentralLine:
    """One line of what no team bears; negative when recovered beyond its cost."""

    kind: str
    detail: str
    label: str
    amount_cents: int


@dataclass(frozen=True, slots=True)
class Difference:
    """A line that a corrected statement states otherwise than the version before.

    ``line`` is its id; of a central line, whose ``team`` is empty, its kind and detail.
    """

    team: str
    line: str
    label: str
    before_cents: int
    after_cents: int


@dataclass(frozen=True, slots=True)
class State:
    """How much is unallocated, unpriced, estimated or unknown: never zero by silence."""

    calls: int
    tokens: int
    amount_cents: int
    share: str


NO_STATE = State(0, 0, 0, "0.0 %")


@dataclass(frozen=True, slots=True)
class Versions:
    """The five versions of which a statement is a function."""

    events: str
    prices: str
    policy: int
    org: int
    code: str


@dataclass(frozen=True, slots=True)
class StatementSet:
    """All statements of a period with the central lines: the whole ledger cost, in cents.

    Attributes:
        period: ``"2026-10"``; ``period_label`` is ``"October 2026"``.
        dispute_until: ISO date or plain text; empty when nothing can be disputed yet.
        soft_closed: of a draft, that its usage is cut off and finance entries may still come.
        simulated: the figures come from a simulated company and say so.
        differences: of a corrected set, to the version before; of a first version, none.
        seal: head of the chain at close, and ``body_sha256`` the digest of the body; both empty
            on a draft that was not sealed.

    Raises:
        LedgerError: the figures do not tie exactly, or a team appears twice.
    """

    company: str
    period: str
    period_label: str
    version: int
    status: Status
    currency: str
    charged_total_cents: int
    shown_total_cents: int
    central: tuple[CentralLine, ...]
    central_total_cents: int
    ledger_cost_cents: int
    statements: tuple[Statement, ...]
    unallocated: State
    unpriced: State
    estimated: State
    unknown: State
    versions: Versions
    dispute_until: str = ""
    simulated: bool = False
    seal: str = ""
    body_sha256: str = ""
    differences: tuple[Difference, ...] = ()
    soft_closed: bool = False

    def __post_init__(self) -> None:
        where = f"statements of {self.period}"
        _require_known([self.status], STATUSES, where)
        _require_distinct((each.team for each in self.statements), "team", where)
        charged = sum(each.total_cents for each in self.statements if each.charged)
        shown = sum(each.total_cents for each in self.statements if not each.charged)
        central = sum(line.amount_cents for line in self.central)
        _require_equal(charged, self.charged_total_cents, "charged statements", "charged", where)
        _require_equal(shown, self.shown_total_cents, "shown statements", "shown", where)
        _require_equal(central, self.central_total_cents, "central lines", "central", where)
        _require_equal(charged + central, self.ledger_cost_cents, "charged + central",
                       "ledger cost", where)  # fmt: skip
        self._require_one_name_per_id(where)

    def statement(self, team: str) -> Statement:
        """The statement of one team.

        Raises:
            LedgerError: the team has none in this period.
        """
        for each in self.statements:
            if each.team == team:
                return each
        raise LedgerError(
            f"no statement for team {team!r} in {self.period}",
            next_step="one of: " + ", ".join(each.team for each in self.statements),
        )

    def number(self, team: str) -> str:
        """The number under which a statement is quoted: ``S-2026-10-support v1``."""
        return f"S-{self.period}-{team} v{self.version}"

    def _require_one_name_per_id(self, where: str) -> None:
        names: dict[str, str] = {}
        for each in self.statements:
            for line in (*each.lines, *each.notes):
                if names.setdefault(line.feature, line.feature_name) != line.feature_name:
                    raise LedgerError(
                        f"feature {line.feature!r} is called {names[line.feature]!r} and "
                        f"{line.feature_name!r}",
                        where=where,
                        next_step="give a feature one name in a period",
                    )


@dataclass(frozen=True, slots=True)
class ModelColumn:
    """One chargeback model over the month: who would bear what.

    Attributes:
        borne_cents: per team; with ``central_cents`` it adds up to the ledger cost.
        shown_cents: what showback would show and nobody would pay.
        unfairness: share of the bill that sits with someone who did not cause it, as text.
        saving: per team, what saving one unit of the company's cost saves this team, as text.
    """

    model: str
    label: str
    borne_cents: Mapping[str, int]
    shown_cents: int
    shown_by_team_cents: Mapping[str, int]
    central_cents: int
    unfairness: str
    saving: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class BreakdownRow:
    """Why a team's proportional charge differs from its fair share; the causes add up."""

    team: str
    model_price_cents: int
    mix_cents: int
    cache_cents: int
    fine_tuning_cents: int
    total_cents: int


@dataclass(frozen=True, slots=True)
class PriceRow:
    """What one team owes another for a service at its transfer price, under each model alike."""

    payer: str
    owner: str
    service: str
    calls: int
    amount_cents: int


@dataclass(frozen=True, slots=True)
class ReasonRow:
    """One reason: the figure behind it, the models it points to, by name and in words, and why."""

    name: str
    title: str
    figure: str
    points_to: tuple[str, ...]
    towards: str
    says: str


@dataclass(frozen=True, slots=True)
class Advice:
    """The recommended model, its reasons, and what changing to it would move.

    Raises:
        LedgerError: the moves of teams and central do not add up to zero.
    """

    model: str
    label: str
    lead: str
    agree: bool
    reasons: tuple[ReasonRow, ...]
    moves_cents: Mapping[str, int]
    central_move_cents: int

    def __post_init__(self) -> None:
        moved = sum(self.moves_cents.values()) + self.central_move_cents
        _require_equal(moved, 0, "moves of teams + central", "nothing", "recommendation")


@dataclass(frozen=True, slots=True)
class ComparisonView:
    """The models side by side for one month, ready to draw.

    Attributes:
        teams: (id, name) in the order of the page.
        recommendation: which model is the fairest, in figures.
        advice: which model suits the company, with its reasons.
        prices: what teams owe each other at transfer prices.

    Raises:
        LedgerError: a model whose teams and central do not add up to the ledger cost, or a
            breakdown that does not add up to its total.
    """

    currency: str
    period_label: str
    ledger_cost_cents: int
    columns: tuple[ModelColumn, ...]
    teams: tuple[tuple[str, str], ...]
    breakdown: tuple[BreakdownRow, ...]
    simulated: bool
    recommendation: str
    advice: Advice
    prices: tuple[PriceRow, ...] = ()

    def __post_init__(self) -> None:
        known = {team for team, _ in self.teams}
        for column in self.columns:
            where = f"comparison, {column.model}"
            borne = sum(column.borne_cents.values()) + column.central_cents
            _require_equal(borne, self.ledger_cost_cents, "teams + central", "ledger cost", where)
            if not known >= column.borne_cents.keys():
                strangers = sorted(column.borne_cents.keys() - known)
                raise LedgerError(f"bears a charge and is not listed: {strangers}", where=where)
        for row in self.breakdown:
            causes = row.model_price_cents + row.mix_cents + row.cache_cents
            causes += row.fine_tuning_cents
            _require_equal(causes, row.total_cents, "causes", "total", f"breakdown of {row.team}")


def _require_equal(left_cents: int, right_cents: int, left: str, right: str, where: str) -> None:
    if left_cents != right_cents:
        raise LedgerError(
            f"{left} {format_cents(left_cents)} and {right} {format_cents(right_cents)} differ by "
            f"{format_cents(left_cents - right_cents)}",
            where=where,
            next_step="nothing was issued; run `tallybook check` and report what it names",
        )


def _require_known(names: Iterable[str], known: tuple[str, ...], where: str) -> None:
    for name in names:
        if name not in known:
            raise LedgerError(f"{name!r} is none of {', '.join(known)}", where=where)


def _require_distinct(names: Iterable[str], what: str, where: str) -> None:
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise LedgerError(f"{what} appears more than once: {repeated[0]!r}", where=where)
