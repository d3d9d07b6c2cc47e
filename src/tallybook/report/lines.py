"""From postings and a cost sheet to statement lines: amounts from the ledger, quantities beside.

A line gathers the postings of one team that share feature, purpose, kind and detail. Its id hashes
that key and the period, never an entry, so a line keeps its id through runs and drafts.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple

from tallybook.allocate.transfers import is_price, is_standing, legs, standing
from tallybook.attribute.model import AttributedLine, TransferUse
from tallybook.books.model import Books, PolicyVersion
from tallybook.clock import Period
from tallybook.ledger.model import PostingKey
from tallybook.post.sheet import Sheet
from tallybook.report.model import LINE_KINDS

CHARGE, SHOWN = "Charge", "Memo:Shown"

ServiceFeatures = Mapping[tuple[str, str], str]
"""The feature of a service in a team: service and team to feature."""


class LineKey(NamedTuple):
    """What makes one line of a statement.

    ``about`` says why the team pays what others caused or ran, or with whom it settles a transfer
    price; ``detail`` is then the service.
    """

    team: str
    feature: str
    purpose: str
    kind: str
    detail: str
    about: str = ""

    @property
    def identity(self) -> tuple[str, ...]:
        """What tells the line from others, in its id and where cents are settled.

        A line that is about no transfer has the identity that it had before there were any.
        """
        return self if self.about else self[:-1]

    @property
    def is_price(self) -> bool:
        """Whether the line is what is owed or earned at a transfer price."""
        return is_price(self.about)


@dataclass(frozen=True, slots=True)
class Terms:
    """How a period's usage comes onto lines.

    Attributes:
        policy: in force in the period.
        unowned: the central team, which has no statement.
        committed: team and feature, where usage burns a committed budget.
    """

    policy: PolicyVersion
    unowned: str
    committed: frozenset[tuple[str, str]] = frozenset()

    def is_pooled(self, line: AttributedLine) -> bool:
        """Whether the quality pool pays this usage."""
        return is_pooled(line, self.policy, self.unowned)

    def is_merged(self, line: AttributedLine) -> bool:
        """Whether the payer sees transfers within usage: tokens are split, or a budget is burnt."""
        team, feature = line.owner.team, line.owner.feature
        return (team, feature) in self.committed or (
            self.policy.policy_for(team).model == "proportional"
        )


def terms_of(books: Books, policy: PolicyVersion, period: Period) -> Terms:
    """The terms of a period."""
    last_us = books.calendar.bounds_us(period)[1] - 1
    return Terms(
        policy,
        books.org.unowned_team,
        frozenset(
            (row.team, row.id)
            for row in books.org.features
            if row.span.holds(last_us)
            and policy.policy_for(row.team).charge == "committed"
            and books.budgets.in_force(row.id, period) is not None
        ),
    )


@dataclass(slots=True)
class LineFigures:
    """What a line adds up: its postings and the usage behind them; ``shown`` ones are no charge."""

    nano: int = 0
    calls: int = 0
    tokens: int = 0
    units: Counter[str] = field(default_factory=Counter)
    shown: bool = False

    def add_usage(self, line: AttributedLine) -> None:
        """Count the usage of an attributed line."""
        self.calls += line.calls
        self.tokens += line.tokens
        self.units.update(line.units)


def line_id(period: str, key: LineKey) -> str:
    """The stable id of a line."""
    text = "\x1f".join((period, *key.identity))
    return f"L-{period}-{blake2b(text.encode(), digest_size=6).hexdigest()}"


def line_key(key: PostingKey) -> LineKey | None:
    """The statement line of a posting; None for what stands on no team's statement."""
    family = key.account.partition(":")[0]
    if family != CHARGE and not key.account.startswith(SHOWN):
        return None
    if key.kind == "markup":
        return LineKey(key.team, "", "", "markup", "")
    if key.kind == "transfer" or is_standing(key.detail):
        return LineKey(key.team, key.feature, key.purpose, key.kind, key.service, key.detail)
    return LineKey(key.team, key.feature, key.purpose, key.kind, key.detail)


def usage_key(line: AttributedLine, terms: Terms) -> LineKey:
    """The statement line on which the payer sees this usage."""
    o = line.owner
    moved = transfer_key(line)
    if moved is None or terms.is_merged(line):
        return LineKey(o.team, o.feature, o.purpose, "usage", "")
    return moved


def transfer_key(line: AttributedLine) -> LineKey | None:
    """The line of usage that others caused or ran; None for what the payer caused and ran."""
    o = line.owner
    about = standing(o.team, o.origin, o.transfer)
    if o.kind != "transfer" and not about:
        return None
    return LineKey(o.team, o.feature, o.purpose, o.kind, o.service, about)


def price_keys(use: TransferUse, feature_of: ServiceFeatures) -> tuple[LineKey, LineKey]:
    """The line of who owes a transfer price, and the line of who earns it."""
    owed, earned = legs(use, feature_of)
    return (
        LineKey(owed.team, owed.feature, owed.purpose, owed.kind, owed.service, owed.detail),
        LineKey(earned.team, earned.feature, earned.purpose, earned.kind, earned.service,
                earned.detail),
    )  # fmt: skip


def is_pooled(line: AttributedLine, policy: PolicyVersion, unowned: str) -> bool:
    """Whether the quality pool pays this usage."""
    pooled = policy.evaluation.funding == "pooled" and line.owner.purpose == "evaluation"
    return pooled and line.owner.team != unowned


def line_figures(
    held: Mapping[PostingKey, int], sheet: Sheet, terms: Terms, feature_of: ServiceFeatures
) -> dict[LineKey, LineFigures]:
    """Every statement line of a period.

    Args:
        held: the balances of the period by posting key.
        sheet: the period's cost sheet.
        terms: how usage comes onto lines.
        feature_of: the feature of a service in a team.
    """
    found = posted_figures(held)
    for line in sheet.lines:
        if line.owner.team != terms.unowned and not terms.is_pooled(line):
            key = usage_key(line, terms)
            found[key].add_usage(line)
            found[key].shown = _is_shown(key, terms)
    for use in sheet.uses:
        for key in price_keys(use, feature_of):
            # Where nothing is owed there is no line: invocations without an outcome cost nothing.
            has_line = use.amount_nano != 0 or key in found
            if has_line and key.team != terms.unowned:
                found[key].calls += use.calls
                found[key].shown = _is_shown(key, terms)
    return in_reading_order(found)


def _is_shown(key: LineKey, terms: Terms) -> bool:
    return terms.policy.policy_for(key.team).model == "showback"


def posted_figures(held: Mapping[PostingKey, int]) -> defaultdict[LineKey, LineFigures]:
    """The amount of every line that something is posted or shown on, without usage."""
    found: defaultdict[LineKey, LineFigures] = defaultdict(LineFigures)
    for key, nano in held.items():
        if place := line_key(key):
            found[place].nano += nano
            found[place].shown = key.account.startswith(SHOWN)
    return found


def in_reading_order(figures: Mapping[LineKey, LineFigures]) -> dict[LineKey, LineFigures]:
    """The lines of every team in the order of its statement."""
    return dict(sorted(figures.items(), key=_reading_order))


def _reading_order(item: tuple[LineKey, LineFigures]) -> tuple[str, str, int, bool, str, str, str]:
    """By feature, usage before the rest, what was used before commitments and overruns."""
    key, _ = item
    return (
        key.team,
        key.feature,
        LINE_KINDS.index(key.kind),
        bool(key.detail),
        key.purpose,
        key.detail,
        key.about,
    )
