"""A statement set from the books: amounts from the ledger, crossed to cents once, at one level."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from tallybook.allocate.transfers import PAID_FOR
from tallybook.attribute.model import AttributedLine
from tallybook.books.model import Books, PolicyVersion
from tallybook.clock import Period
from tallybook.ledger.model import PostingKey
from tallybook.money import cents_of_nano, format_percent, format_share, nano_of_pico
from tallybook.post.compute import features_of_services
from tallybook.post.sheet import Sheet
from tallybook.report.adjustments import (
    Adjustment,
    adjusting_words,
    adjustment_central,
    adjustment_figures,
    adjustment_label,
    variance_label,
)
from tallybook.report.budgets import budget_use
from tallybook.report.central import LABELS, CentralKey, central_nano
from tallybook.report.cents import to_cents
from tallybook.report.lines import (
    LineFigures,
    LineKey,
    Terms,
    in_reading_order,
    line_figures,
    line_id,
    terms_of,
)
from tallybook.report.model import (
    BudgetUse,
    CentralLine,
    Quantity,
    State,
    Statement,
    StatementLine,
    StatementSet,
    Versions,
)
from tallybook.report.notes import Note, note_figures
from tallybook.report.sides import Side, side_words, sides_of

MODEL_LABELS = {
    "showback": "showback: shown, not charged",
    "proportional": "proportional by volume",
    "real_cost": "real cost",
    "use_case_budget": "budget per use case",
}


@dataclass(frozen=True, slots=True)
class Draft:
    """A statement set with the exact amounts behind its lines.

    ``exact_nano`` and ``cents`` are by charged line: what the close rounds.
    """

    statements: StatementSet
    exact_nano: Mapping[LineKey, int]
    cents: Mapping[LineKey, int]


def draft(
    books: Books,
    policy: PolicyVersion,
    sheet: Sheet,
    held: Mapping[PostingKey, int],
    previous_cents: Mapping[str, int],
    version: int = 1,
    adjustments: Sequence[Adjustment] = (),
    dispute_until: str = "",
) -> Draft:
    """Make the statements of a period as the books stand.

    Args:
        books: the books as applied.
        policy: the version in force in the period.
        sheet: the period's cost sheet.
        held: balances of the period by posting key: what posted into it about itself.
        previous_cents: each team's total of the month before.
        version: the statement version.
        adjustments: what posted into it about closed periods.
        dispute_until: the last day on which a line may be disputed; empty if none is named.
    """
    period = Period.parse(sheet.period)
    terms = terms_of(books, policy, period)
    feature_of = features_of_services(books, period)
    sides = sides_of(sheet, feature_of)
    own = line_figures(held, sheet, terms, feature_of)
    figures = in_reading_order({**own, **adjustment_figures(adjustments)})
    central = _with(central_nano(held, terms.unowned), adjustment_central(adjustments))
    cents, central_cents = to_cents(sheet.period, figures, central)
    view = _View(books, terms, sheet, figures, cents, spread_nano(held), adjustments, sides)
    statements = tuple(view.statement(team, previous_cents.get(team)) for team in view.teams)
    issue = StatementSet(
        company=books.org.company.name,
        period=sheet.period,
        period_label=view.period.label(),
        version=version,
        status="draft",
        currency=books.org.company.currency,
        charged_total_cents=sum(s.total_cents for s in statements if s.charged),
        shown_total_cents=sum(s.total_cents for s in statements if not s.charged),
        central=tuple(_central_line(key, amount) for key, amount in central_cents.items()),
        central_total_cents=sum(central_cents.values()),
        ledger_cost_cents=sum(s.total_cents for s in statements if s.charged)
        + sum(central_cents.values()),
        statements=statements,
        unallocated=state_of(sheet.lines, [x for x in sheet.lines if x.owner.is_fallback]),
        unpriced=state_of(sheet.lines, [x for x in sheet.lines if x.unpriced]),
        estimated=state_of(sheet.lines, [x for x in sheet.lines if x.state == "estimated"]),
        unknown=state_of(
            sheet.lines, [x for x in sheet.lines if x.state in ("unknown", "partial")]
        ),
        versions=Versions(
            sheet.versions.events,
            sheet.versions.prices,
            sheet.versions.policy,
            sheet.versions.org,
            sheet.versions.code,
        ),
        simulated=books.org.company.simulated,
        dispute_until=dispute_until,
    )
    charged = [key for key in figures if not figures[key].shown]
    return Draft(
        issue,
        {key: figures[key].nano for key in charged},
        {key: cents[key] for key in charged},
    )


def _with(
    central: Mapping[CentralKey, int], more: Mapping[CentralKey, int]
) -> dict[CentralKey, int]:
    """Both together, sorted, without zeros."""
    added = {key: central.get(key, 0) + more.get(key, 0) for key in central.keys() | more.keys()}
    return {key: nano for key, nano in sorted(added.items()) if nano}


def _central_line(key: CentralKey, amount_cents: int) -> CentralLine:
    label = LABELS[key.kind].format(detail=key.detail)
    if not key.service_period:
        return CentralLine(key.kind, key.detail, label, amount_cents)
    detail = f"{key.detail} {key.service_period}".strip()
    month = Period.parse(key.service_period).label()
    return CentralLine(key.kind, detail, f"{month}, late: {label}", amount_cents)


def state_of(every: Iterable[AttributedLine], lines: Sequence[AttributedLine]) -> State:
    """How much is in a state; the share is of value at rate card, or of calls without value."""
    total = list(every)
    amount = sum(line.card_pico for line in lines)
    calls = sum(line.calls for line in lines)
    share = (
        format_share(amount, sum(line.card_pico for line in total))
        if amount
        else format_share(calls, sum(line.calls for line in total))
    )
    return State(
        calls=calls,
        tokens=sum(line.tokens for line in lines),
        amount_cents=cents_of_nano(nano_of_pico(amount)),
        share=share,
    )


def spread_nano(held: Mapping[PostingKey, int]) -> dict[str, int]:
    """What each pool spreads over teams: charged, absorbed and shown alike, in nano."""
    spread: dict[str, int] = defaultdict(int)
    for key, nano in held.items():
        if key.account.startswith("Pool:") and key.team:
            spread[key.account.removeprefix("Pool:")] -= nano
        elif key.account.startswith("Memo:Shown:") and key.kind in ("pool", "evaluation"):
            spread[pool_of(key.detail)] += nano
    return spread


def pool_of(detail: str) -> str:
    """The pool of a pool's line; capacity has a line for each part, ``ptu reserved``."""
    return detail.partition(" ")[0]


class _View:
    """The names and notes around the figures of one period."""

    def __init__(
        self,
        books: Books,
        terms: Terms,
        sheet: Sheet,
        figures: Mapping[LineKey, LineFigures],
        cents: Mapping[LineKey, int],
        spread: Mapping[str, int],
        adjustments: Sequence[Adjustment],
        sides: Mapping[LineKey, Side],
    ) -> None:
        self.period = Period.parse(sheet.period)
        start_us, end_us = books.calendar.bounds_us(self.period)
        org = books.org
        self._books, self._policy, self._sheet = books, terms.policy, sheet
        self._terms, self._sides = terms, sides
        self._figures, self._cents, self._spread = figures, cents, spread
        self._adjustments = {each.period: each for each in adjustments}
        self._notes = note_figures(sheet.lines, terms, sides)
        self._runners: dict[tuple[str, str], set[str]] = defaultdict(set)
        for line in sheet.lines:
            if line.owner.kind == "transfer":
                self._runners[line.owner.team, line.owner.service].add(line.owner.executor)
        # The last row that holds in the month names the thing: a reorganisation shows its outcome.
        self._team = {
            row.id: row
            for row in sorted(org.teams, key=lambda row: row.span.from_us)
            if row.span.from_us < end_us and row.span.to_us > start_us
        }
        self._feature = {
            row.id: row
            for row in sorted(org.features, key=lambda row: row.span.from_us)
            if row.span.from_us < end_us and row.span.to_us > start_us
        }
        self._units = {unit.id: unit.name for unit in org.units}
        named = {key.team for key in figures}
        self.teams = sorted((set(self._team) - {org.unowned_team}) | named)

    def statement(self, team: str, previous_cents: int | None) -> Statement:
        row = self._team.get(team)
        policy = self._policy.policy_for(team)
        keys = [key for key in self._figures if key.team == team and self._says(key)]
        charged = [key for key in keys if not self._figures[key].shown]
        # A team that came to showback with a charge of before has a statement of that charge.
        is_charged = policy.model != "showback" or bool(charged)
        lines = tuple(self._line(key) for key in (charged if is_charged else keys))
        beside = [key for key in keys if is_charged and self._figures[key].shown]
        shown = (replace(self._line(key), shown_only=True) for key in beside)
        return Statement(
            team=team,
            team_name=row.name if row else team,
            unit=row.unit if row else "",
            unit_name=self._units.get(row.unit, "") if row else "",
            cost_center=row.cost_center if row else "",
            model=policy.model,
            model_label=self._model_label(team),
            charged=is_charged,
            total_cents=sum(line.amount_cents for line in lines),
            lines=lines,
            notes=(*shown, *self._note_lines(team)),
            previous_total_cents=previous_cents,
            budget=self._budget(team),
        )

    def _says(self, key: LineKey) -> bool:
        """Whether a line is worth a row: an adjustment of less than a cent, of no calls, is not."""
        figures = self._figures[key]
        used = figures.calls or figures.tokens
        return key.kind != "adjustment" or bool(used or self._cents[key])

    def _model_label(self, team: str) -> str:
        policy = self._policy.policy_for(team)
        label = MODEL_LABELS[policy.model]
        if policy.markup:
            label += f" + {format_percent(policy.markup)}"
        if policy.model == "use_case_budget":
            label += f", {policy.charge}"
        return label

    def _line(self, key: LineKey) -> StatementLine:
        figures = self._figures[key]
        return StatementLine(
            id=line_id(self._sheet.period, key),
            feature=key.feature,
            feature_name=self._feature_name(key.feature),
            purpose=key.purpose,
            kind=key.kind,
            detail=key.detail,
            label=self._label(key),
            quantity=Quantity(figures.calls, figures.tokens, dict(figures.units)),
            amount_cents=self._cents[key],
            share=self._share(key),
            transfer=side.counterpart if (side := self._sides.get(key)) else None,
        )

    def _label(self, key: LineKey) -> str:
        if key.kind == "adjustment":
            return adjusting_words(key.detail) or self._adjustment_label(key)
        if key.kind == "variance":
            versions = {period: each.version for period, each in self._adjustments.items()}
            return variance_label(key, versions)
        if key.kind == "markup":
            markup = self._policy.policy_for(key.team).markup
            stands_for = ", ".join(
                pool.id for pool in self._policy.pools if pool.recovered_by == "markup"
            )
            return f"Markup {format_percent(markup)}" + (f" ({stands_for})" if stands_for else "")
        if side := self._sides.get(key):
            return side_words(key, side, self._team_name)
        if key.kind in ("pool", "evaluation"):
            return f"Pool: {key.detail}"
        return key.detail

    def _adjustment_label(self, key: LineKey) -> str:
        about = self._adjustments[key.detail.partition(" ")[0]]
        return adjustment_label(about, key, self._figures[key].calls)

    def _share(self, key: LineKey) -> str:
        """A team's share of what a pool spreads over all teams, whoever recovers it how."""
        if key.kind not in ("pool", "evaluation"):
            return ""
        return format_share(self._figures[key].nano, self._spread[pool_of(key.detail)])

    def _feature_name(self, feature: str) -> str:
        row = self._feature.get(feature)
        return (row.name or row.id) if row else feature

    def _team_name(self, team: str) -> str:
        row = self._team.get(team)
        return (row.name or row.id) if row else team

    def _note_lines(self, team: str) -> Iterable[StatementLine]:
        for note, (figures, lines) in self._notes.get(team, {}).items():
            cents = self._same_cents(note, lines)
            if note.at_list:
                cents = cents_of_nano(nano_of_pico(sum(line.list_pico for line in lines)))
            elif cents is None:
                cents = cents_of_nano(nano_of_pico(sum(line.card_pico for line in lines)))
            yield StatementLine(
                id=note.id(self._sheet.period),
                feature=note.feature,
                feature_name=self._feature_name(note.feature),
                purpose=note.purpose,
                kind=note.kind,
                detail=note.label if note.transfer else "",
                label=note.label,
                quantity=Quantity(figures.calls, figures.tokens, dict(figures.units)),
                amount_cents=cents,
                shown_only=True,
                transfer=note.transfer,
            )

    def _same_cents(self, note: Note, lines: Sequence[AttributedLine]) -> int | None:
        """The payer's cents, where it sees this usage on lines of its own: both read the same."""
        told = note.transfer
        if told is None or told.role not in ("run_for", "paid_by"):
            return None
        if any(self._terms.is_pooled(line) for line in lines):
            return None
        if told.role == "run_for" and self._runners[told.team, told.service] != {note.team}:
            return None
        found = [
            cents
            for key, cents in self._cents.items()
            if (key.team, key.detail) == (told.team, told.service) and _is_seen(key, note)
        ]
        return sum(found) if found else None

    def _budget(self, team: str) -> BudgetUse | None:
        return budget_use(
            self._books,
            self._terms,
            self.period,
            team,
            [(row.id, row.name or row.id) for row in self._feature.values() if row.team == team],
            self._sheet.lines,
            told=self._sheet.versions.decisions >= 0,
        )


def _is_seen(key: LineKey, note: Note) -> bool:
    """Whether a line of the payer is what the note tells the other team."""
    assert note.transfer is not None, "a note on what others pay"
    if note.transfer.role == "run_for":
        return key.kind == "transfer" and not key.is_price
    rules = note.transfer.rule.split(", ")
    return key.about in [f"{PAID_FOR}{note.team}: {rule}" for rule in rules]
