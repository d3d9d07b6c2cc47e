"""Prepaid credits: bought, used in the order in which they expire, and expired.

A credit stands on ``Prepaid`` at what it cost. Usage that it pays clears ``Accrued`` at its face
value, day by day; what it cost less than that is a credit variance, a gain. What is left when it
expires is a cost that nobody used.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tallybook.allocate.cost_layer import account_part
from tallybook.books.terms import Credit
from tallybook.ledger.model import PostingKey
from tallybook.money import proportional
from tallybook.reconcile.history import History, beside_key

FAMILY = "prepaid"
EXPIRED = "Variance:expired_credit"
GAIN = "Variance:credit"
BOUGHT, USED, GONE = "bought", "used", "expired"


@dataclass(frozen=True, slots=True)
class CreditMonth:
    """One credit over one month, at face value and at cost, in nano.

    ``opening_nano`` and ``closing_nano`` are face value left; ``used_cost_nano`` and
    ``expired_cost_nano`` what these parts cost; ``balance_nano`` what stands on ``Prepaid`` after.
    """

    credit: Credit
    opening_nano: int
    bought_nano: int
    used_nano: int
    expired_nano: int
    used_cost_nano: int
    expired_cost_nano: int
    balance_nano: int

    @property
    def closing_nano(self) -> int:
        """The face value that is left."""
        return self.opening_nano + self.bought_nano - self.used_nano - self.expired_nano


def used_by_day(
    bought: Sequence[Credit], left_nano: Mapping[str, int], days: Iterable[tuple[int, int]]
) -> dict[str, int]:
    """Which credits pay for which usage: of those that hold on a day, what expires first.

    Args:
        bought: credits of one provider, in the order of their expiry.
        left_nano: face value left at the start, by id; all of it where the credit is not in it.
        days: start of a UTC day, and what was used in it, in nano; in order.

    Returns:
        the face value used of each.
    """
    left = {one.id: left_nano.get(one.id, one.amount_nano) for one in bought}
    used: dict[str, int] = defaultdict(int)
    for day_us, nano in days:
        rest = max(nano, 0)
        for one in bought:
            if one.bought_us <= day_us < one.expires_us:
                part = min(rest, left[one.id])
                left[one.id] -= part
                used[one.id] += part
                rest -= part
    return dict(used)


def credit_months(
    bought: Sequence[Credit],
    found: History,
    period: str,
    bounds_us: tuple[int, int],
    days: Sequence[tuple[int, int]],
    *,
    lands: bool = False,
) -> list[CreditMonth]:
    """The credits of one provider over a month.

    Args:
        bought: in the order of their expiry.
        found: what the journal says up to the month.
        period: the month.
        bounds_us: its first instant, and the one after its last.
        days: what was used by UTC day, in nano.
        lands: whether a purchase that no earlier month booked is booked in this one.
    """
    start_us, end_us = bounds_us
    before = {one.id: _used_before(found, one, period) for one in bought}
    left = {one.id: one.amount_nano - before[one.id] for one in bought}
    live = [one for one in bought if one.bought_us < end_us and one.expires_us > start_us]
    used = used_by_day(live, left, days)
    return [
        _month(
            one,
            before[one.id],
            used.get(one.id, 0),
            is_new=(start_us <= one.bought_us or (lands and one.cost_nano > 0))
            and not _is_booked(found, one, period),
            is_gone=one.expires_us <= end_us,
        )
        for one in live
    ]


def _used_before(found: History, one: Credit, period: str) -> int:
    """The face value that earlier months used."""
    source = f"{FAMILY}:{one.id}:{USED}"
    return found.sum(
        lambda row: row.source == source and row.side == "Accrued" and row.service_period < period
    )


def _is_booked(found: History, one: Credit, period: str) -> bool:
    """Whether the purchase stands in an earlier month."""
    source = f"{FAMILY}:{one.id}:{BOUGHT}"
    return bool(found.sum(lambda row: (row.source, row.side) == (source, "Prepaid")
                          and row.service_period < period))  # fmt: skip


def _month(one: Credit, before: int, used: int, *, is_new: bool, is_gone: bool) -> CreditMonth:
    spent = before + used
    cost_before = proportional(one.cost_nano, before, one.amount_nano)
    cost = proportional(one.cost_nano, spent, one.amount_nano)
    rest = one.amount_nano - spent
    return CreditMonth(
        credit=one,
        opening_nano=0 if is_new else one.amount_nano - before,
        bought_nano=one.amount_nano if is_new else 0,
        used_nano=used,
        expired_nano=rest if is_gone else 0,
        used_cost_nano=cost - cost_before,
        expired_cost_nano=one.cost_nano - cost if is_gone else 0,
        balance_nano=0 if is_gone else one.cost_nano - cost,
    )


def targets(one: CreditMonth, period: str) -> list[tuple[PostingKey, int]]:
    """What a credit's month must stand at: an entry each for bought, used and expired."""
    credit = one.credit
    part = account_part(credit.provider)

    def key(account: str, what: str) -> PostingKey:
        source = f"{FAMILY}:{credit.id}:{what}"
        return beside_key(account, source, period, provider=credit.provider, detail=credit.id)

    bought = credit.cost_nano if one.bought_nano else 0
    found = [
        (key(f"Prepaid:{part}", BOUGHT), bought),
        (key(f"Payable:{part}", BOUGHT), -bought),
        (key(f"Accrued:{part}", USED), one.used_nano),
        (key(f"Prepaid:{part}", USED), -one.used_cost_nano),
        (key(GAIN, USED), one.used_cost_nano - one.used_nano),
        (key(EXPIRED, GONE), one.expired_cost_nano),
        (key(f"Prepaid:{part}", GONE), -one.expired_cost_nano),
    ]
    return [(posting, nano) for posting, nano in found if nano]
