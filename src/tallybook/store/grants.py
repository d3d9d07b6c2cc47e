"""Increases that approvers granted while the month ran, as the books read them.

They stand beside the increases of budgets.yaml: `tallybook.books.budgets.Budgets.in_force` is the
one law for both.
"""

from __future__ import annotations

from collections.abc import Mapping

from tallybook.books.budgets import Acted, Denial, Grant
from tallybook.books.model import FOREVER_US
from tallybook.clock import Period
from tallybook.store.engine import Tx

APPROVED, DENIED = "approved", "denied"
INCREASE, USE_CASE = "increase", "use_case"


def grants_of(tx: Tx, period: Period, upto: int | None = None) -> tuple[Grant, ...]:
    """The grants of a month, in the order in which they were decided.

    Args:
        tx: a transaction.
        period: which month.
        upto: only those that are numbered up to it; None means all.
    """
    rows = tx.rows(
        "SELECT seq, request, scope, subject, amount_nano, from_us, until_us, requested_by,"
        " asked_for, actor FROM budget_decision WHERE period = :period AND verdict = :verdict"
        " AND kind = :kind AND (:every = 1 OR seq <= :upto) ORDER BY seq",
        **_bounds(period, upto),
        verdict=APPROVED,
    )
    return tuple(
        Grant(
            number=int(row.seq),
            scope=row.scope,
            subject=row.subject,
            period=period,
            amount_nano=int(row.amount_nano),
            from_us=int(row.from_us),
            until_us=int(row.until_us) or FOREVER_US,
            approved_by=row.actor,
            requested_by=row.requested_by,
            reason=row.asked_for,
            request=int(row.request),
        )
        for row in rows
    )


def denials_of(tx: Tx, period: Period, upto: int | None = None) -> tuple[Denial, ...]:
    """The requests for a month that were denied, in that order; see `grants_of`."""
    rows = tx.rows(
        "SELECT d.seq, d.request, d.scope, d.subject, d.reason, d.requested_by, d.actor, d.at_us,"
        " r.amount_nano FROM budget_decision d JOIN budget_request r ON r.id = d.request"
        " WHERE d.period = :period AND d.verdict = :verdict AND d.kind = :kind"
        " AND (:every = 1 OR d.seq <= :upto) ORDER BY d.seq",
        **_bounds(period, upto),
        verdict=DENIED,
    )
    return tuple(
        Denial(
            number=int(row.seq),
            scope=row.scope,
            subject=row.subject,
            period=period,
            asked_nano=int(row.amount_nano),
            denied_by=row.actor,
            requested_by=row.requested_by,
            reason=row.reason,
            at_us=int(row.at_us),
            request=int(row.request),
        )
        for row in rows
    )


def acted_of(tx: Tx, period: Period, upto: int | None = None) -> tuple[Acted, ...]:
    """What gateways did at the budgets of a month, by budget and act; warnings are no calls.

    Args:
        tx: a transaction.
        period: which month.
        upto: only notices that are numbered up to it; None means all.
    """
    rows = tx.rows(
        "SELECT budget, act, SUM(calls) AS calls, SUM(estimate_nano) AS nano FROM budget_notice"
        " WHERE period = :period AND act <> 'warn' AND (:every = 1 OR seq <= :upto)"
        " GROUP BY budget, act ORDER BY budget, act",
        period=str(period),
        every=int(upto is None),
        upto=upto or 0,
    )
    return tuple(Acted(row.budget, row.act, int(row.calls), int(row.nano)) for row in rows)


def decisions_upto(tx: Tx, period: Period) -> int:
    """The number of the last decision about budgets of a month; 0 without any."""
    last = tx.scalar(
        "SELECT MAX(seq) FROM budget_decision WHERE period = :period", period=str(period)
    )
    return int(last or 0)


def undecided(tx: Tx, period: Period) -> int:
    """How many requests about a month's budgets nobody decided yet."""
    found = tx.scalar(
        "SELECT COUNT(*) FROM budget_request r LEFT JOIN budget_decision d ON d.request = r.id"
        " WHERE r.period = :period AND d.request IS NULL",
        period=str(period),
    )
    return int(found or 0)


def _bounds(period: Period, upto: int | None) -> Mapping[str, str | int]:
    return {
        "period": str(period),
        "kind": INCREASE,
        "every": int(upto is None),
        "upto": upto or 0,
    }
