"""What the journal says of providers, month by month: accrued, invoiced, prepaid, at variance.

Everything that is accrued beside metered usage is worked out from this, so no month is metered
again for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from tallybook.ledger.model import PostingKey
from tallybook.reconcile.model import Beside
from tallybook.store import Tx, sql_text

USED: Final = ("meter", "capacity")
"""The groups of a run that accrue what a provider will bill."""
BEGINNING: Final = "0000-00"


class Standing(NamedTuple):
    """One sum, in nano, debit positive. ``family`` is the group of its source."""

    service_period: str
    provider: str
    account: str
    source: str
    detail: str
    nano: int

    @property
    def family(self) -> str:
        """What made it: meter, capacity, true_up, accrual, prepaid, commitment, revalue."""
        return self.source.partition(":")[0]

    @property
    def side(self) -> str:
        """The family of the account."""
        return self.account.partition(":")[0]


@dataclass(frozen=True, slots=True)
class History:
    """Every sum up to a period, in order."""

    rows: tuple[Standing, ...]

    def sum(self, holds: Callable[[Standing], bool]) -> int:
        """The sum of what holds, in nano."""
        return sum(row.nano for row in self.rows if holds(row))

    def accrued_nano(self, provider: str, period: str, families: Iterable[str] = USED) -> int:
        """What some groups accrued at a provider in a service period, as a positive amount."""
        wanted = tuple(families)
        return -self.sum(
            lambda row: (
                row.provider == provider
                and row.service_period == period
                and row.side == "Accrued"
                and row.family in wanted
            )
        )

    def providers(self) -> list[str]:
        """The providers that anything was accrued for, sorted."""
        return sorted({row.provider for row in self.rows if row.side == "Accrued"})

    def trued_up(self, period: str) -> set[str]:
        """The providers of which a true-up of a service period stands booked."""
        return {
            row.provider
            for row in self.rows
            if row.service_period == period and row.family == "true_up"
        }

    def reconciled(self, provider: str, before: str) -> list[str]:
        """The months before one whose invoice was trued up, the latest first."""
        found = {
            row.service_period
            for row in self.rows
            if row.provider == provider
            and row.service_period < before
            and row.family == "true_up"
            and row.side == "Payable"
        }
        return sorted(found, reverse=True)


BESIDE: Final = {
    "capacity": "capacity",
    "accrual": "completeness",
    "commitment": "commitment",
    "prepaid": "prepaid",
    "revalue": "revaluation",
}
"""What accrues beside metered usage, by the family of its source."""


def beside_of(found: History, provider: str, period: str) -> tuple[Beside, ...]:
    """What stands for a provider in a month beside metered usage, and its prepaid balance."""
    owed = [
        Beside(what, found.accrued_nano(provider, period, (family,)))
        for family, what in BESIDE.items()
    ]
    balance = found.sum(lambda row: row.provider == provider and row.side == "Prepaid")
    return tuple(x for x in (*owed, Beside("prepaid_balance", balance)) if x.amount_nano)


def history(tx: Tx, period: str, since: str = BEGINNING) -> History:
    """The sums of the service periods from one up to another, both in it."""
    rows = tx.rows(sql_text(__package__, "history"), period=period, since=since)
    return History(tuple(Standing._make((*row[:-1], int(row.nano))) for row in rows))


def beside_key(
    account: str,
    source: str,
    service_period: str,
    *,
    provider: str = "",
    detail: str = "",
    team: str = "",
    feature: str = "",
    kind: str = "",
) -> PostingKey:
    """The key of a posting that comes from no event: it names no price and no policy."""
    return PostingKey(
        account=account,
        team=team,
        feature=feature,
        purpose="",
        kind=kind,
        provider=provider,
        service="",
        detail=detail,
        source=source,
        service_period=service_period,
        price_version="",
        policy_version=0,
    )
