"""Timing: usage that is billed on another day than it was metered on.

Day by day, what a series of slots was billed beyond what was metered is a number with a sign. Days
that lie close together and have opposite signs explain each other, as far as the smaller goes:
that much was metered on the one day and billed on the other. Within a period such pairs sum to
zero. Over its edge they do not: they stay on the accrual until the neighbour's invoice brings them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tallybook.money import proportional
from tallybook.reconcile.match import Slot
from tallybook.reconcile.model import DAY_US


@dataclass(slots=True)
class Difference:
    """What a slot was billed beyond what was metered: as a quantity, where one is stated.

    ``quantity`` and ``amount_pico`` shrink as reasons are found; what remains is explained last.
    """

    slot: Slot
    quantity: int | None
    amount_pico: int

    @classmethod
    def of(cls, slot: Slot) -> Difference:
        """The difference of a slot; a ghost was billed nothing."""
        known = slot.quantity is not None
        quantity = (slot.quantity or 0) - slot.metered_quantity if known else None
        return cls(slot, quantity, slot.amount_pico - slot.metered_pico)

    @property
    def day_us(self) -> int:
        """The first day."""
        return self.slot.key.start_us

    def within_rounding(self) -> bool:
        """Whether the rounding of the lines' last decimals can be all of it."""
        return bool(self.slot.lines) and 2 * abs(self.amount_pico) <= self.slot.slack_pico

    def value_of(self, quantity: int) -> int:
        """What a quantity of it costs at contract, as this slot's usage was metered."""
        price = self.slot.price
        if price is not None:
            return quantity * price
        whole = self.slot.metered_quantity
        return proportional(self.slot.metered_pico, quantity, whole) if whole > 0 else 0


@dataclass(frozen=True, slots=True)
class Moved:
    """An amount that is billed on another day: plus on the day of the bill, minus where metered."""

    difference: Difference
    quantity: int | None
    amount_pico: int
    other_day_us: int


def pair_days(series: Sequence[Difference], days: int) -> list[Moved]:
    """Take out of a series what neighbouring days explain of each other.

    Args:
        series: differences of one series, each of one day.
        days: how far apart two days may lie.

    Returns:
        two parts for each pair; they sum to zero.
    """
    ordered = sorted(series, key=lambda one: one.day_us)
    found: list[Moved] = []
    for gap in range(1, days + 1):
        by_day = {one.day_us: one for one in ordered}
        for one in ordered:
            other = by_day.get(one.day_us + gap * DAY_US)
            if other:
                found += _paired(one, other)
    return found


def _paired(one: Difference, other: Difference) -> Iterable[Moved]:
    if (one.quantity is None) != (other.quantity is None):
        return ()
    if one.quantity is not None and other.quantity is not None:
        first, second = one.quantity, other.quantity
    else:
        if one.within_rounding() or other.within_rounding():
            return ()
        first, second = one.amount_pico, other.amount_pico
    if not first or not second or (first > 0) == (second > 0):
        return ()
    size = min(abs(first), abs(second))
    metered, billed = (one, other) if first < 0 else (other, one)
    return move(metered, billed, size)


def move(metered: Difference, billed: Difference, size: int) -> tuple[Moved, Moved]:
    """Take a quantity, or an amount where there is none, from the day that billed it."""
    has_quantity = metered.quantity is not None
    amount = metered.value_of(size) if has_quantity else size
    quantity = size if has_quantity else None
    parts = (
        Moved(metered, -size if has_quantity else None, -amount, billed.day_us),
        Moved(billed, quantity, amount, metered.day_us),
    )
    for part in parts:
        take(part.difference, part.quantity, part.amount_pico)
    return parts


def take(difference: Difference, quantity: int | None, amount_pico: int) -> None:
    """A part of a difference has its reason: the rest is smaller."""
    difference.amount_pico -= amount_pico
    if difference.quantity is not None:
        difference.quantity -= quantity or 0
