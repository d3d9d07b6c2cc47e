"""Capacity in a month: what it costs by the time that it stands, and who used it.

Provisioned throughput, GPUs, training and hosting of fine-tuned models are paid by time or once,
not by the token. Their cost goes to a cost pool; calls that run on them have no price of their own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Final

from tallybook.allocate.model import CapacityCost
from tallybook.attribute.model import AttributedLine
from tallybook.books.terms import Capacity
from tallybook.money import proportional
from tallybook.post.basis import Basis

_HOUR_US: Final = 3_600_000_000


def standing_capacity(basis: Basis) -> list[Capacity]:
    """The capacity that stands at some instant of a month, in the order of the file."""
    prices = basis.prices[basis.published[-1].prices_version]
    return [
        one for one in prices.capacity if one.from_us < basis.end_us and one.to_us > basis.start_us
    ]


def capacity_costs(basis: Basis) -> tuple[CapacityCost, ...]:
    """What each capacity costs in a month, and how much it carries in the time that it stands."""
    found = []
    for one in standing_capacity(basis):
        stood_us = min(one.to_us, basis.end_us) - max(one.from_us, basis.start_us)
        month_us = basis.end_us - basis.start_us
        found.append(
            CapacityCost(
                id=one.id,
                pool=one.pool,
                provider=one.provider,
                amount_nano=_cost(one, basis, stood_us, month_us),
                full=Fraction(one.full * stood_us, month_us) if one.full else None,
                serves=one.serves,
            )
        )
    return tuple(found)


def _cost(one: Capacity, basis: Basis, stood_us: int, month_us: int) -> int:
    """By the month's share or by the hour, rounded once; what is paid once, when it begins."""
    if one.once_nano:
        return one.once_nano if basis.start_us <= one.from_us < basis.end_us else 0
    if one.hourly_nano:
        return proportional(one.hourly_nano * one.count, stood_us, _HOUR_US)
    return proportional(one.monthly_nano * one.count, stood_us, month_us)


def capacity_use(basis: Basis, lines: Sequence[AttributedLine]) -> Mapping[str, Mapping[str, int]]:
    """The tokens that each team ran on each pool of capacity."""
    pools = {one.id: one.pool for one in standing_capacity(basis)}
    used: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for line in lines:
        if line.capacity:
            used[pools[line.capacity]][line.owner.team] += line.tokens
    return {pool: dict(teams) for pool, teams in sorted(used.items())}
