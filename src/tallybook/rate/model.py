"""Prices as data: what a call is priced by, and the intervals in which one price holds.

A price is a whole number of pico-units of the books' currency per token or unit. Instants are
microseconds since the epoch, UTC; spans are half-open. A context is the number of input tokens of
one request; a band holds contexts above ``over`` up to and including ``upto``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

STANDARD: Final = "standard"
NO_BOUND: Final = -1
ANY_CONTEXT: Final = 2**62

Vector = Mapping[str, int]
"""Pico per meter. A meter that is not in it has no price; it is not free."""


@dataclass(frozen=True, slots=True, order=True)
class PriceKey:
    """What an event says that decides its price, exactly as the event carries it."""

    provider: str
    model: str
    tier: str
    region: str


@dataclass(frozen=True, slots=True)
class PriceRow:
    """One elementary interval: at each instant and context, at most one row of a key.

    Args:
        price_id: dense from 1 in the order of key, time and context.
        context_over: exclusive lower bound of the context; -1 without one.
        context_upto: inclusive upper bound of the context; 2**62 without one.
        list: the published price.
        contract: what we pay: the negotiated price over the list, else the list.
        card: what a team sees, frozen for the period.
        undated: the published price has no start date, so it applies from the beginning.
        contract_ref: the contract that made the price; empty when it is the list price.
        capacity: on which its calls run at no price of their own; its list price is a shadow.
    """

    price_id: int
    provider: str
    model: str
    tier: str
    region: str
    from_us: int
    to_us: int
    context_over: int
    context_upto: int
    list: Vector | None
    contract: Vector | None
    card: Vector | None
    undated: bool
    contract_ref: str
    capacity: str = ""

    @property
    def key(self) -> PriceKey:
        """The key that the row prices."""
        return PriceKey(self.provider, self.model, self.tier, self.region)

    def holds(self, started_us: int, context: int) -> bool:
        """Whether a call at the instant with this many input tokens takes the row."""
        in_time = self.from_us <= started_us < self.to_us
        return in_time and self.context_over < context <= self.context_upto


@dataclass(frozen=True, slots=True)
class Unpriced:
    """A stretch in which a key has no price, and why."""

    key: PriceKey
    from_us: int
    to_us: int
    reason: str
