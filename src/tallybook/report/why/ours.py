"""Our total, and what of it is no usage, so that usage is compared with usage."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from tallybook.ledger.balance import booked_into
from tallybook.ledger.model import PostingKey
from tallybook.money import NANO_PER_CENT, PICO_PER_NANO
from tallybook.report.model import Statement, StatementSet
from tallybook.report.why.model import Step
from tallybook.store import Tx

PICO_PER_CENT: Final = NANO_PER_CENT * PICO_PER_NANO
INCURRED: Final = ("Accrued", "Source", "Payable", "Prepaid", "Tax")
"""What was incurred: the other side of ledger cost."""
WORDS: Final = {
    "markup": "markup is in our total and is no usage",
    "pool": "shares of cost pools are in our total and are no usage",
    "evaluation": "the share of evaluation that a pool spreads is in our total",
    "commitment": "a commitment of the use case's budget is in our total",
    "variance": "differences that invoices brought are in our total",
    "adjustment": "late usage and corrections of other months are in our total",
    "price": "transfer prices between teams are in our total and are no usage",
}


@dataclass(frozen=True, slots=True)
class Total:
    """Our total and what leads from it to usage alone.

    Args:
        subject: what it is of, in words.
        pico: the total as statements say it.
        away: steps that take off what is no usage.
        usage_pico: what is left: usage as it is in the total.
    """

    subject: str
    pico: int
    away: tuple[Step, ...]

    @property
    def usage_pico(self) -> int:
        """What is left after the steps."""
        return self.pico + sum(step.amount_pico for step in self.away)


def company_total(tx: Tx, issue: StatementSet) -> Total:
    """The ledger cost of the month: usage at contract, pools, and what else was incurred."""
    parts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for key, nano in booked_into(tx, issue.period).items():
        family = key.account.partition(":")[0]
        if family in INCURRED:
            cause, about = _incurred(key, issue.period)
            # What was incurred stands in credit; it adds to cost.
            parts[cause][about] -= nano * PICO_PER_NANO
    steps = [
        _away(cause, held)
        for cause, held in sorted(parts.items())
        if cause != "usage" and any(held.values())
    ]
    subject = "the ledger cost of the company"
    return Total(subject, _pico(issue.ledger_cost_cents), tuple(steps))


def _incurred(key: PostingKey, period: str) -> tuple[str, str]:
    family, _, about = key.account.partition(":")
    if key.service_period != period:
        return "adjustment", f"{about or family} of {key.service_period}"
    if family == "Source":
        return "pool", about
    if key.source.partition(":")[0] == "true_up" or family in ("Payable", "Tax", "Prepaid"):
        return "variance", about or family
    return "usage", about


def team_total(issue: StatementSet, teams: Collection[str], features: Collection[str]) -> Total:
    """What the statements of some teams come to, or the lines of some of their features."""
    chosen = [each for each in issue.statements if not teams or each.team in teams]
    parts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    total = 0
    for each in chosen:
        for line in each.lines:
            if features and line.feature not in features:
                continue
            total += line.amount_cents
            kind = "price" if line.is_price else line.kind
            if kind not in ("usage", "transfer"):
                about = line.label or line.detail or line.feature_name or each.team_name
                parts[kind][about] += _pico(line.amount_cents)
    steps = [_away(kind, held) for kind, held in sorted(parts.items())]
    return Total(_subject(chosen, features), _pico(total), tuple(steps))


def _subject(chosen: Collection[Statement], features: Collection[str]) -> str:
    if features:
        return f"what the statements say of {', '.join(sorted(features))}"
    names = ", ".join(each.team_name for each in chosen)
    return f"the statement of {names}" if len(chosen) == 1 else f"the statements of {names}"


def _away(cause: str, held: dict[str, int]) -> Step:
    """What takes a part off our total.

    Args:
        cause: one of `WORDS`.
        held: what the part adds to our total, in pico, by what it is about.
    """
    amounts = {about: -pico for about, pico in held.items()}
    evidence = "as posted, and as the statements say it"
    return Step.of("usage_only", cause, WORDS[cause], evidence, amounts)


def _pico(cents: int) -> int:
    return cents * PICO_PER_CENT
