"""Commitments: what was promised to a provider over a term, burnt down, and its shortfall accrued.

A shortfall is owed at the end of the term. It is accrued over the term: at the end of each month
what should have been spent by then (the promise, straight-line over its months) less what was, and
never below zero. In the last month that is exactly the promise less what was spent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from tallybook.allocate.cost_layer import account_part
from tallybook.books.terms import Commitment
from tallybook.clock import Period
from tallybook.ledger.model import PostingKey
from tallybook.money import proportional
from tallybook.reconcile.history import USED, History, Standing, beside_key

FAMILY = "commitment"
ACCOUNT = "Variance:commitment"
BILLED = ("Variance:price", "Variance:volume", "Variance:discount", "Variance:rounding")
"""Variances of invoices that are part of what was spent."""


@dataclass(frozen=True, slots=True)
class MonthSpent:
    """One month of a term: spent in it, and accrued for the shortfall at its end, in nano."""

    period: str
    spent_nano: int
    shortfall_nano: int


@dataclass(frozen=True, slots=True)
class BurnDown:
    """A commitment as it stands at the end of a month.

    Attributes:
        elapsed: months of the term up to it; ``term`` is how many it has.
        spent_nano: in the term so far; ``expected_nano`` what should have been, straight-line.
        shortfall_nano: what is accrued by now, in all months.
        forecast_nano: what the term comes to if it goes on as so far.
        needed_nano: what each month left has to spend to meet it; 0 where none is left.
    """

    commitment: Commitment
    elapsed: int
    term: int
    months: tuple[MonthSpent, ...]
    spent_nano: int
    expected_nano: int
    shortfall_nano: int
    forecast_nano: int
    needed_nano: int

    @property
    def left_nano(self) -> int:
        """What is still to be spent, never below zero."""
        return max(self.commitment.amount_nano - self.spent_nano, 0)


def months_between(first: Period, last: Period) -> int:
    """How many months lie from one up to before another."""
    return (last.year - first.year) * 12 + last.month - first.month


def burn_down(found: History, one: Commitment, period: Period) -> BurnDown:
    """A commitment at the end of a month, or of its term if that ended before.

    Args:
        found: what the journal says up to the month.
        one: the commitment.
        period: the month; before the term nothing has elapsed.
    """
    term = months_between(one.first, one.until)
    elapsed = min(max(months_between(one.first, period.next()), 0), term)
    listed, month, spent, accrued = [], one.first, 0, 0
    for number in range(1, elapsed + 1):
        own = _spent(found, one.provider, str(month))
        spent += own
        due = shortfall(one.amount_nano, spent, Fraction(number, term))
        listed.append(MonthSpent(str(month), own, due - accrued))
        month, accrued = month.next(), due
    left = max(one.amount_nano - spent, 0)
    return BurnDown(
        commitment=one,
        elapsed=elapsed,
        term=term,
        months=tuple(listed),
        spent_nano=spent,
        expected_nano=proportional(one.amount_nano, elapsed, term),
        shortfall_nano=accrued,
        forecast_nano=proportional(spent, term, elapsed) if elapsed else 0,
        needed_nano=proportional(left, 1, term - elapsed) if elapsed < term else 0,
    )


def shortfall(amount_nano: int, spent_nano: int, elapsed: Fraction) -> int:
    """What is accrued by now: the straight-line part of the promise less what was spent."""
    expected = proportional(amount_nano, elapsed.numerator, elapsed.denominator)
    return max(expected - spent_nano, 0)


def _spent(found: History, provider: str, period: str) -> int:
    """What was spent in a month: accrued by usage and capacity, as its invoice corrected it."""

    def is_billed(row: Standing) -> bool:
        return (
            (row.provider, row.service_period) == (provider, period)
            and row.account in BILLED
            and row.family == "true_up"
        )

    return found.accrued_nano(provider, period, USED) + found.sum(is_billed)


def targets(one: BurnDown, held: History, period: str) -> list[tuple[PostingKey, int]]:
    """What a month's own part must stand at, so that all months together are what is accrued.

    Earlier months stay as they were posted; a month takes the whole difference.
    """
    source = f"{FAMILY}:{one.commitment.id}"
    provider = one.commitment.provider
    account = f"Accrued:{account_part(provider)}"
    before = -held.sum(
        lambda row: row.source == source and row.account == account and row.service_period < period
    )
    nano = one.shortfall_nano - before
    if not nano:
        return []
    key = beside_key(ACCOUNT, source, period, provider=provider, detail=f"shortfall of {source}")
    return [(key, nano), (key._replace(account=account, detail=""), -nano)]


def standing_nano(found: History, provider: str, period: str) -> int:
    """What is accrued for shortfalls up to a month and cleared by no other, as owed, in nano.

    An invoice clears what stands up to its month. So the invoice of a later month that came first
    has cleared this one's too: all of it that was not accrued in between.

    Args:
        found: what the journal says, of later months too.
        provider: which.
        period: the month whose invoice it is.
    """
    accrued: dict[str, int] = defaultdict(int)
    elsewhere: dict[str, int] = defaultdict(int)
    for row in found.rows:
        if row.provider != provider or row.side != "Accrued":
            continue
        if row.family == FAMILY:
            accrued[row.service_period] -= row.nano
        elif row.family == "true_up" and row.detail == FAMILY and row.service_period != period:
            elsewhere[row.service_period] += row.nano
    owed = sum(nano for month, nano in accrued.items() if month <= period)
    for month, nano in elsewhere.items():
        between = sum(accrued[name] for name in accrued if period < name <= month)
        owed -= nano if month < period else max(nano - between, 0)
    return owed


def active(every: Sequence[Commitment], period: Period) -> list[Commitment]:
    """The commitments whose term holds a month."""
    return [one for one in every if one.holds(period)]
