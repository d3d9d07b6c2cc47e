"""Open items: what finance has booked and not settled, each with its amount and its age.

Accruals that no invoice cleared, suspense that nobody explained, lines that a team disputes. Their
age counts whole days: of what stands on an account from the end of its service period, of a dispute
from the day on which it was raised. A policy may say from which age and above which amount an open
item stops the close.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from tallybook.books.closing import OpenItemLimit
from tallybook.clock import Calendar, Period
from tallybook.close.dispute import Dispute, disputes
from tallybook.ledger.balance import FIRST_PERIOD, LAST_PERIOD
from tallybook.money import NANO_PER_CENT
from tallybook.store import Tx, sql_text

Kind = Literal["accrual", "suspense", "dispute"]
DAY_US: Final = 86_400_000_000
_KINDS: Final[dict[str, Kind]] = {"Accrued": "accrual", "Suspense": "suspense"}


@dataclass(frozen=True, slots=True)
class OpenItem:
    """One open item.

    Args:
        kind: accrual, suspense or dispute.
        what: the account; of a dispute its id.
        service_period: the month that it is about.
        amount_nano: what stands, debit positive; of a dispute what is disputed.
        since_us: from when its age counts, microseconds since 1970, UTC.
        days: its age in whole days.
        over: whether it is as old as the limit and above its amount.
        next_step: how it is settled.
    """

    kind: Kind
    what: str
    service_period: str
    amount_nano: int
    since_us: int
    days: int
    over: bool
    next_step: str


def open_items(
    tx: Tx,
    calendar: Calendar,
    now_us: int,
    limit: OpenItemLimit | None = None,
    upto: str = LAST_PERIOD,
) -> list[OpenItem]:
    """All open items, the oldest first.

    Args:
        tx: a transaction.
        calendar: the company's.
        now_us: to when ages count.
        limit: from which age and amount an item is over it; None: none is.
        upto: the last period whose postings count.
    """
    found = [
        *_standing(tx, calendar, now_us, limit, upto),
        *(_disputed(each, now_us, limit) for each in disputes(tx) if each.is_open),
    ]
    return sorted(found, key=lambda item: (item.since_us, item.kind, item.what))


def _standing(
    tx: Tx, calendar: Calendar, now_us: int, limit: OpenItemLimit | None, upto: str
) -> Iterator[OpenItem]:
    bounds = {"first_period": FIRST_PERIOD, "last_period": upto}
    for row in tx.rows(sql_text(__package__, "standing"), **bounds):
        since_us = calendar.bounds_us(Period.parse(row.service_period))[1]
        family, _, part = str(row.account).partition(":")
        kind = _KINDS[family]
        days = _days(since_us, now_us)
        yield OpenItem(
            kind,
            str(row.account),
            str(row.service_period),
            int(row.nano),
            since_us,
            days,
            _is_over(days, int(row.nano), limit),
            f"tallybook invoice import {part} FILE, then tallybook true-up {row.service_period}"
            if kind == "accrual"
            else f"tallybook reconcile {row.service_period}, or tallybook adjust",
        )


def _disputed(each: Dispute, now_us: int, limit: OpenItemLimit | None) -> OpenItem:
    days = _days(each.at_us, now_us)
    nano = each.amount_cents * NANO_PER_CENT
    return OpenItem(
        "dispute",
        each.id,
        each.period,
        nano,
        each.at_us,
        days,
        _is_over(days, nano, limit),
        f"tallybook dispute {each.id} --adjusted ID, or --rejected, with --reason WHY",
    )


def _days(since_us: int, now_us: int) -> int:
    return max(now_us - since_us, 0) // DAY_US


def _is_over(days: int, nano: int, limit: OpenItemLimit | None) -> bool:
    return limit is not None and days >= limit.days and abs(nano) > limit.amount_nano
