"""The completeness accrual: usage that past months show to be unmetered, before it is billed.

The invoices of the last reconciled months billed more than was metered, for causes that have a
name. The same share of this month's metered cost is accrued at its close and released by its
invoice, which then says what it really was. Shares are exact fractions; the amount is rounded once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from tallybook.allocate.cost_layer import account_part
from tallybook.books.terms import Completeness
from tallybook.ledger.model import PostingKey
from tallybook.money import apportion, proportional
from tallybook.reconcile.history import History, Standing, beside_key

FAMILY = "accrual"
KIND = "variance"
VOLUME = "Variance:volume"
ACCOUNT = "Variance:completeness"


@dataclass(frozen=True, slots=True)
class Estimate:
    """What one provider will probably bill beyond what was metered in a month.

    Attributes:
        months: the reconciled months that it goes by.
        metered_nano: what they metered; ``unmetered_nano`` what they billed beyond it.
        share: of this month's metered cost, after the cap.
        parts: the amount by cause and key, such as ``unmetered_key: vk-b``, in nano.
        released: the invoice came already, so nothing is accrued any more.
    """

    provider: str
    period: str
    months: tuple[str, ...]
    metered_nano: int
    unmetered_nano: int
    share: Fraction
    parts: tuple[tuple[str, int], ...]
    released: bool = False

    @property
    def amount_nano(self) -> int:
        """What is to be accrued."""
        return sum(nano for _, nano in self.parts)


def estimate(found: History, provider: str, period: str, rule: Completeness) -> Estimate:
    """Work out the accrual of one provider in a month.

    Args:
        found: what the journal says up to the month.
        provider: which.
        period: the month.
        rule: how many months, which causes, and the cap.
    """
    months = found.reconciled(provider, period)[: rule.months]
    metered = sum(found.accrued_nano(provider, month, ("meter",)) for month in months)
    causes = _by_cause(found, provider, months, rule.causes)
    unmetered = sum(causes.values())
    share = min(Fraction(unmetered, metered), rule.cap) if metered > 0 else Fraction(0)
    now = max(found.accrued_nano(provider, period, ("meter",)), 0)
    total = proportional(now, share.numerator, share.denominator)
    is_billed = period in found.reconciled(provider, period + "~")
    names = sorted(causes)
    salt = f"{FAMILY}:{provider}:{period}"
    parts = (
        apportion(total, [causes[name] for name in names], names, salt=salt)
        if total and not is_billed
        else []
    )
    listed = zip(names, parts, strict=True) if parts else ()
    return Estimate(
        provider,
        period,
        tuple(months),
        metered,
        unmetered,
        share,
        tuple((name, nano) for name, nano in listed if nano),
        is_billed,
    )


def _by_cause(
    found: History, provider: str, months: Sequence[str], causes: Sequence[str]
) -> dict[str, int]:
    """What was billed beyond the meter by cause and key; less than was metered is no cause."""
    sums: dict[str, int] = defaultdict(int)
    for row in found.rows:
        if _is_volume(row, provider) and row.service_period in months:
            cause = row.detail.partition(":")[0]
            if cause in causes:
                sums[row.detail] += row.nano
    return {name: nano for name, nano in sums.items() if nano > 0}


def _is_volume(row: Standing, provider: str) -> bool:
    return row.provider == provider and row.account == VOLUME and row.family == "true_up"


def targets(
    one: Estimate, rule: Completeness, owner_of: Callable[[str], str]
) -> list[tuple[PostingKey, int]]:
    """What the accrual must stand at: ``Accrued`` against its owner, or what is central.

    Args:
        one: the estimate.
        rule: who bears it.
        owner_of: the team that pays for a key; '' where it is central.
    """
    source = f"{FAMILY}:{one.provider}"
    found = []
    for name, nano in one.parts:
        team = owner_of(name.partition(": ")[2]) if rule.bear == "owner" else ""
        account = f"Charge:{team}:{KIND}" if team else ACCOUNT
        detail = f"expected, {name}"
        key = beside_key(account, source, one.period, provider=one.provider, detail=detail)
        found.append((key._replace(team=team, kind=KIND if team else ""), nano))
    accrued = beside_key(
        f"Accrued:{account_part(one.provider)}", source, one.period, provider=one.provider
    )
    return [*found, (accrued, -one.amount_nano)] if found else []
