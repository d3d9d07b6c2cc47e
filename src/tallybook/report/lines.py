"""From postings and a cost sheet to statement lines: amounts from the ledger, quantities beside.

A line gathers the postings of one team that share feature, purpose, kind and detail. Its id hashes
that key and the period, never an entry, so a line keeps its id through runs and drafts.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple

from tallybook.allocate.transfers import is_price, is_standing, legs, standing
from tallybook.attribute.model import AttributedLine, TransferUse
from tallybook.books.model import PolicyVersion
from tallybook.ledger.model import PostingKey
from tallybook.report.model import LINE_KINDS

CHARGE, SHOWN = "Charge", "Memo:Shown"


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


def usage_key(line: AttributedLine, policy: PolicyVersion) -> LineKey:
    """The statement line on which the payer sees this usage.

    Where tokens are split or a budget is burnt, a transfer is part of usage.
    """
    owner = line.owner
    team = policy.policy_for(owner.team)
    merged = team.model == "proportional" or team.charge == "committed"
    about = standing(owner.team, owner.origin, owner.transfer)
    if (owner.kind == "transfer" or about) and not merged:
        service = owner.service
        return LineKey(owner.team, owner.feature, owner.purpose, owner.kind, service, about)
    return LineKey(owner.team, owner.feature, owner.purpose, "usage", "")


def price_keys(
    use: TransferUse, feature_of: Mapping[tuple[str, str], str]
) -> tuple[LineKey, LineKey]:
    """The line of who owes a transfer price, and the line of who earns it."""
    owed, earned = legs(use, feature_of)
    return (
        LineKey(owed.team, owed.feature, owed.purpose, owed.kind, owed.service, owed.detail),
        LineKey(earned.team, earned.feature, earned.purpose, earned.kind, earned.service,
                earned.detail),
    )  # fmt: skip


def note_id(period: str, key: LineKey, label: str) -> str:
    """The stable id of a line that only informs."""
    return line_id(period, key._replace(detail=f"note:{label}"))


def paid_by(pool: str) -> str:
    """What a note says of evaluation that a pool pays."""
    return f"paid by the {pool} pool"


def run_for(payer: str, service: str) -> str:
    """What a note says of a service that a team ran for another."""
    return f"run for {payer}: {service}"


def shown_ids(line: AttributedLine, period: str, policy: PolicyVersion, unowned: str) -> set[str]:
    """The lines that show this usage: the payer's, or a note, and a note of who ran it."""
    owner, found = line.owner, set()
    if is_pooled(line, policy, unowned):
        note = LineKey(owner.team, owner.feature, "evaluation", "evaluation", "")
        found.add(note_id(period, note, paid_by(policy.evaluation.pool)))
    else:
        found.add(line_id(period, usage_key(line, policy)))
    if owner.executor:
        note = LineKey(owner.executor, "", "", "transfer", "")
        found.add(note_id(period, note, run_for(owner.team, owner.service)))
    return found


def is_pooled(line: AttributedLine, policy: PolicyVersion, unowned: str) -> bool:
    """Whether the quality pool pays this usage."""
    pooled = policy.evaluation.funding == "pooled" and line.owner.purpose == "evaluation"
    return pooled and line.owner.team != unowned


def line_figures(
    held: Mapping[PostingKey, int],
    lines: Iterable[AttributedLine],
    policy: PolicyVersion,
    unowned: str,
) -> dict[LineKey, LineFigures]:
    """Every statement line of a period.

    Args:
        held: the balances of the period by posting key.
        lines: the period's attributed lines.
        policy: the policy in force.
        unowned: the central team, which has no statement.
    """
    found = posted_figures(held)
    for line in lines:
        if line.owner.team != unowned and not is_pooled(line, policy, unowned):
            key = usage_key(line, policy)
            found[key].add_usage(line)
            found[key].shown = policy.policy_for(key.team).model == "showback"
    return in_reading_order(found)


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


def _reading_order(item: tuple[LineKey, LineFigures]) -> tuple[str, str, int, bool, str, str]:
    """By feature, usage before the rest, what was used before commitments and overruns."""
    key, _ = item
    return (
        key.team,
        key.feature,
        LINE_KINDS.index(key.kind),
        bool(key.detail),
        key.purpose,
        key.detail,
    )
