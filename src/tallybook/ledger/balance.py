"""Balances: folds of the postings, made anew each time. None is stored, so none can be stale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from tallybook.ledger.chart import is_memo
from tallybook.ledger.model import PostingKey
from tallybook.store import Tx, sql_text

FIRST_PERIOD = "0000-00"
LAST_PERIOD = "9999-99"


class Balance(NamedTuple):
    """What stands on an account for one team and feature; debit positive."""

    account: str
    team: str
    feature: str
    nano: int


@dataclass(frozen=True, slots=True)
class TrialRow:
    """One row of a trial balance, in nano units: opening + debit - credit = closing.

    ``debit_nano`` and ``credit_nano`` are never negative; ``opening_nano`` and ``closing_nano``
    are signed, debit positive.
    """

    account: str
    team: str
    feature: str
    opening_nano: int
    debit_nano: int
    credit_nano: int
    closing_nano: int

    @property
    def memo(self) -> bool:
        """Whether the row is shown and not booked; memo rows balance among themselves."""
        return is_memo(self.account)


def booked(
    tx: Tx, service_period: str, period: str = "", *, family: str = "", team: str | None = None
) -> dict[PostingKey, int]:
    """Sum of the postings of a service period by key, in nano units, without zeros.

    Args:
        tx: a transaction.
        service_period: when it was used.
        period: only what posted into this period; empty: all that was ever posted, so that what
            was posted late about the service period is in it.
        family: how the names of the accounts begin; empty: all accounts.
        team: only what names this team; None: any, or none.
    """
    rows = tx.rows(
        sql_text(__package__, "booked"),
        service_period=service_period,
        period=period,
        family=family,
        every_team=team is None,
        team=team or "",
    )
    return {PostingKey._make(row[:-1]): int(row.nano) for row in rows}


def booked_into(tx: Tx, period: str) -> dict[PostingKey, int]:
    """Sum of what posted into a period by key, whatever service period it is about."""
    rows = tx.rows(sql_text(__package__, "booked_into"), period=period)
    return {PostingKey._make(row[:-1]): int(row.nano) for row in rows}


def posting_periods(tx: Tx, service_period: str) -> list[str]:
    """The periods that something about a service period was posted into, sorted."""
    rows = tx.rows(
        "SELECT DISTINCT c.period FROM posting p JOIN chain c ON c.seq = p.seq"
        " WHERE p.service_period = :service_period ORDER BY c.period",
        service_period=service_period,
    )
    return [str(row.period) for row in rows]


def balances(tx: Tx, period: str | None = None, *, upto: bool = False) -> list[Balance]:
    """What stands on each account, team and feature, sorted, without zeros.

    Args:
        tx: a transaction.
        period: only what posted into this period; None: everything.
        upto: with a period, also all periods before it.
    """
    return [
        Balance(row.account, row.team, row.feature, nano)
        for row in trial_balance(tx, period)
        if (nano := row.closing_nano if upto else row.closing_nano - row.opening_nano)
    ]


def trial_balance(tx: Tx, period: str | None = None) -> list[TrialRow]:
    """All balances with their movement in a period, sorted by account, team and feature.

    Rows with neither opening nor movement are left out. Memo accounts are included; the others sum
    to zero without them, because the memo postings of each entry sum to zero.

    Args:
        tx: a transaction.
        period: opening is everything posted into periods before it, debit and credit what posted
            into it; None: everything posted, with opening zero.
    """
    bounds = {"first_period": period or FIRST_PERIOD, "last_period": period or LAST_PERIOD}
    rows = [
        TrialRow(
            row.account,
            row.team,
            row.feature,
            int(row.opening_nano),
            int(row.debit_nano),
            int(row.credit_nano),
            int(row.opening_nano + row.debit_nano - row.credit_nano),
        )
        for row in tx.rows(sql_text(__package__, "trial_balance"), **bounds)
        if row.opening_nano or row.debit_nano or row.credit_nano
    ]
    return sorted(rows, key=lambda row: (row.account, row.team, row.feature))
