"""The accrual: expense that was metered and that no provider has billed yet.

What the ERP already holds is left out: the sources of cost pools, and whatever an entry touches
together with ``Payable``, because a provider's bill comes in through accounts payable.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from tallybook.ledger.chart import CENTRAL, Family, check_account
from tallybook.money import apportion, cents_of_lines
from tallybook.report.handoff.accounts_file import Accounts
from tallybook.report.handoff.model import ACCRUED, EXPENSE, PREPAID, TAX
from tallybook.store import Tx, sql_text

OUTSIDE = {Family.ACCRUED: ACCRUED, Family.PREPAID: PREPAID, Family.TAX: TAX}
"""Families on the other side of an accrual; what else its entry holds is expense."""

LEDGER_COST = CENTRAL | {Family.CHARGE, Family.ROUNDING}


class AccrualKey(NamedTuple):
    """What makes one line: the neutral account, its detail, and when it was used."""

    account: str
    detail: str
    service_period: str


@dataclass(frozen=True, slots=True)
class Accrued:
    """What a period hands over, in cents by line; each mapping sums to zero.

    Attributes:
        accrual: expense against accrued liabilities.
        prepaid: expense against prepaid credits, apart where the accrual reverses by itself.
        held_nano: what moved on the sources of cost pools, which the ERP holds.
        accrued_nano: the expense that was accrued or drawn in the period.
        ledger_nano: the ledger cost that posted into the period.
    """

    accrual: Mapping[AccrualKey, int]
    prepaid: Mapping[AccrualKey, int]
    held_nano: int
    accrued_nano: int
    ledger_nano: int


def accrued_in(tx: Tx, period: str, accounts: Accounts, before_seq: int) -> Accrued:
    """What was accrued in a period, or stands accrued at its end, as the setting asks.

    Args:
        tx: a transaction.
        period: what posted into it; where accruals reverse, also what was accrued before and is
            not billed yet, because last month's accrual reversed itself.
        accounts: the setting, and the cost class of each purpose.
        before_seq: as of which link of the chain.
    """
    bounds = {"period": period, "before_seq": before_seq}
    rows = tx.rows(sql_text(__package__, "accrual"), **bounds)
    standing = tx.rows(sql_text(__package__, "standing"), **bounds)
    moved = _by_line((row for row in rows if row.period == period), accounts)
    by_family: dict[Family, int] = defaultdict(int)
    for row in standing:
        by_family[check_account(row.account)] += int(row.moved_nano)
    if accounts.accrual == "standing":
        accrual, prepaid = moved, {}
    else:
        weights = _classes(moved) or _classes(_by_line(rows, accounts))
        closing = {
            AccrualKey(ACCRUED, _detail(row.account), period): int(row.nano)
            for row in standing
            if check_account(row.account) is Family.ACCRUED and row.nano
        }
        drawn = {key: nano for key, nano in moved.items() if key.account not in (EXPENSE, ACCRUED)}
        accrual = _against(closing, weights, period, accounts)
        prepaid = _against(drawn, weights, period, accounts)
    return Accrued(
        accrual=_cents(accrual, f"accrual:{period}"),
        prepaid=_cents(prepaid, f"prepaid:{period}"),
        held_nano=-by_family[Family.SOURCE],
        accrued_nano=sum(nano for key, nano in moved.items() if key.account == EXPENSE),
        ledger_nano=sum(nano for family, nano in by_family.items() if family in LEDGER_COST),
    )


def _by_line(rows: Any, accounts: Accounts) -> dict[AccrualKey, int]:
    found: dict[AccrualKey, int] = defaultdict(int)
    for row in rows:
        outside = OUTSIDE.get(check_account(row.account))
        detail = _detail(row.account) if outside else accounts.class_of(row.purpose)
        found[AccrualKey(outside or EXPENSE, detail, row.service_period)] += int(row.nano)
    return {key: nano for key, nano in sorted(found.items()) if nano}


def _detail(account: str) -> str:
    return account.partition(":")[2]


def _classes(lines: Mapping[AccrualKey, int]) -> dict[str, int]:
    """What each cost class weighs; a class with credits alone weighs nothing."""
    found: dict[str, int] = defaultdict(int)
    for key, nano in lines.items():
        if key.account == EXPENSE:
            found[key.detail] += nano
    return {name: nano for name, nano in sorted(found.items()) if nano > 0}


def _against(
    others: Mapping[AccrualKey, int], weights: Mapping[str, int], period: str, accounts: Accounts
) -> dict[AccrualKey, int]:
    """The lines with the expense that balances them, by cost class."""
    total = -sum(others.values())
    if not others or not total:
        return dict(others)
    known = weights or {accounts.class_of("production"): 1}
    parts = apportion(total, list(known.values()), list(known), salt=f"accrual:{period}")
    expense = {
        AccrualKey(EXPENSE, name, period): nano
        for name, nano in zip(known, parts, strict=True)
        if nano
    }
    return {**expense, **others}


def _cents(lines: Mapping[AccrualKey, int], salt: str) -> dict[AccrualKey, int]:
    """Each side crosses for itself: both round to the same total, so they still balance."""
    found: dict[AccrualKey, int] = {}
    for is_expense in (True, False):
        keys = [key for key in lines if (key.account == EXPENSE) is is_expense]
        names = ["\x1f".join(key) for key in keys]
        cents = cents_of_lines([lines[key] for key in keys], names, salt=salt)
        found |= {key: amount for key, amount in zip(keys, cents, strict=True) if amount}
    return found
