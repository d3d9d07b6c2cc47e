"""What an invoice settles beside metered usage: estimates it makes certain, accruals it bills.

The completeness accrual and the revaluation of a foreign balance are released, once the invoice
speaks for the whole month: it says itself what was unmetered, and at which rate. Capacity, the
shortfall of a commitment and used credits are cleared, once the invoice has a line of that kind:
the line is then at variance only by what it differs from what was booked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tallybook.allocate.cost_layer import account_part
from tallybook.ledger.model import PostingKey
from tallybook.post.recharge import family_of
from tallybook.reconcile import commitments, completeness, prepaid, revalue
from tallybook.reconcile.history import History, beside_key
from tallybook.reconcile.model import ProviderResult, VarianceKind

CAPACITY: Final = "capacity"
RELEASED: Final = (completeness.FAMILY, revalue.FAMILY)
CLEARED: Final[Mapping[str, tuple[VarianceKind, ...]]] = {
    CAPACITY: (VarianceKind.COMMITMENT,),
    commitments.FAMILY: (VarianceKind.MINIMUM, VarianceKind.COMMITMENT),
    prepaid.FAMILY: (VarianceKind.CREDIT,),
}
"""Groups that accrue beside metered usage, and the kinds of variance in which they are billed."""


def is_whole(each: ProviderResult) -> bool:
    """Whether the invoices speak for every day on which something was metered."""
    return not any(
        one.kind is VarianceKind.TIMING and one.cause == "not_invoiced" for one in each.variances
    )


def released(held: Mapping[PostingKey, int], each: ProviderResult) -> dict[PostingKey, int]:
    """What was accrued on expectation and stands no longer once the invoice is in."""
    if not is_whole(each):
        return {}
    return {
        key: nano
        for key, nano in held.items()
        if key.provider == each.provider and family_of(key) in RELEASED
    }


def cleared(
    found: History, each: ProviderResult, period: str, source: str
) -> list[tuple[PostingKey, int]]:
    """What the true-up posts for accruals that the invoice bills in lines of their own.

    Args:
        found: what the journal says, of later months too.
        each: the provider's identity.
        period: the service period.
        source: of the true-up.
    """
    account = f"Accrued:{account_part(each.provider)}"
    postings = []
    for family, kinds in CLEARED.items():
        kind = next((kind for kind in kinds if each.of_kind(kind)), None)
        owed = (
            commitments.standing_nano(found, each.provider, period)
            if family == commitments.FAMILY
            else found.accrued_nano(each.provider, period, (family,))
        )
        if kind is None or not owed:
            continue
        key = beside_key(account, source, period, provider=each.provider, detail=family)
        variance = key._replace(account=f"Variance:{kind}", detail=str(kind))
        postings += [(key, owed), (variance, -owed)]
    return postings
