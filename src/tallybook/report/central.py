"""What no team bears, line by line: the balances of the central families (INV-12 c)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from tallybook.allocate.cost_layer import UNOWNED
from tallybook.allocate.transfers import ABSORPTION, is_price
from tallybook.ledger.chart import CENTRAL, Family, check_account
from tallybook.ledger.model import PostingKey


class CentralKey(NamedTuple):
    """One central line; ``service_period`` of an adjustment, else empty."""

    kind: str
    detail: str
    service_period: str = ""


LABELS = {
    "unowned": "Usage that nobody tagged, answered for by {detail}",
    "central_usage": "Usage of {detail}, which is central",
    "showback": "{detail}: shown, not charged",
    "unallocated": "Usage of {detail} without a driver to charge it by",
    "pool": "Cost pool {detail} without a driver to charge it by",
    "markup_absorption": "Under- (over-) absorbed by markup",
    "unused_commitment": "Unused commitments",
    "transfer_absorption": "Transfer prices of teams that are not charged",
    "rate_card_variance": "Contract prices against the rate card",
    "pool_variance": "Cost pools: actual against policy",
    "variance": "Variance: {detail}",
    "suspense": "Not yet explained: {detail}",
    "rounding": "Rounding",
}
_NAMED = {
    "Absorption:markup": "markup_absorption",
    "Absorption:budget": "unused_commitment",
    ABSORPTION: "transfer_absorption",
    "Variance:rate_card": "rate_card_variance",
    "Variance:pool": "pool_variance",
}


def central_nano(held: Mapping[PostingKey, int], unowned: str) -> dict[CentralKey, int]:
    """The central lines in nano, without zeros; they sum to the central balance exactly.

    What stands on ``Cost`` and ``Pool`` for teams on showback is one line per team; its amount is
    what the memo shows that team.
    """
    found: dict[CentralKey, int] = defaultdict(int)
    for key, nano in held.items():
        if key.account.startswith("Memo:Shown:"):
            found[CentralKey("showback", key.team)] += nano
            found[_shown_from(key)] -= nano
        elif check_account(key.account) in CENTRAL:
            found[_line_of(key, unowned)] += nano
    return {key: nano for key, nano in sorted(found.items()) if nano}


def _shown_from(key: PostingKey) -> CentralKey:
    """Where the cost that a memo posting shows still stands."""
    if is_price(key.detail):
        return CentralKey("transfer_absorption", "")
    if key.kind in ("usage", "transfer"):
        return CentralKey("unallocated", key.team)
    return CentralKey("pool", key.detail.partition(" ")[0])


def _line_of(key: PostingKey, unowned: str) -> CentralKey:
    family, _, rest = key.account.partition(":")
    if key.account in _NAMED:
        return CentralKey(_NAMED[key.account], "")
    if family == Family.COST:
        if key.team == unowned:
            return CentralKey("unowned" if key.detail == UNOWNED else "central_usage", key.team)
        return CentralKey("unallocated", key.team)
    if family == Family.POOL:
        return CentralKey("pool", rest)
    return CentralKey("suspense" if family == Family.SUSPENSE else "variance", rest)
