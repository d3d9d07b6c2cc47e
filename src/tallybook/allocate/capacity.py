"""Pools of capacity: charged by what is reserved, then by what is used; the rest is idle.

A team pays for what it reserved, whether it uses it or not, so no team's charge moves when another
uses less (dual rate: allocation mathematics, section 2). Use beyond one's reservation pays for the
capacity that nobody reserved, in proportion to how much of it is filled. What is left is idle, and
its named owner answers for it (section 5: unused commitment goes to the committer, not to users).
Where nobody knows how much the capacity carries, all that is not reserved goes by use.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Final

from tallybook.allocate.model import Month, PoolShare, Weight
from tallybook.books.model import CostPool
from tallybook.errors import AllocationError
from tallybook.money import apportion

DRIVER: Final = "capacity"
RESERVED: Final = "reserved"
USED: Final = "used"
IDLE: Final = "idle"
PARTS: Final = (RESERVED, USED, IDLE)

Weights = dict[tuple[str, str], Fraction]
"""By part and team, the share of the whole cost; they sum to one."""


def capacity_shares(month: Month, pool: CostPool, total_nano: int) -> list[PoolShare]:
    """The three parts of a pool of capacity, to the unit (INV-10).

    Args:
        month: with what capacity costs and who used it.
        pool: one whose driver is capacity.
        total_nano: what it costs.
    """
    weights = capacity_weights(pool, month.capacity_use.get(pool.id, {}), full_of(month, pool.id))
    places = sorted(weights)
    parts = apportion(
        total_nano,
        [weights[place] for place in places],
        ["\x1f".join(place) for place in places],
        salt=f"{pool.id}:{month.period}",
    )
    nano = dict(zip(places, parts, strict=True))
    return [
        PoolShare(
            pool=pool.id,
            driver=DRIVER,
            total_nano=sum(amount for (held, _), amount in nano.items() if held == part),
            weights={team: w for (held, team), w in weights.items() if held == part and w},
            amounts_nano={
                team: amount
                for (held, team), amount in nano.items()
                if held == part and team in month.payers and weights[held, team]
            },
            part=part,
        )
        for part in PARTS
        if any(held == part and weight for (held, _), weight in weights.items())
    ]


def full_of(month: Month, pool: str) -> Fraction | None:
    """How many tokens a pool's capacity carries in the month; None where it is not known."""
    serving = [one for one in month.capacity if one.pool == pool and one.serves]
    known = [one.full for one in serving if one.full is not None]
    return sum(known, Fraction(0)) if serving and len(known) == len(serving) else None


def capacity_weights(pool: CostPool, used: Mapping[str, Weight], full: Fraction | None) -> Weights:
    """Which share of the cost each part and team bears.

    Args:
        pool: with what is reserved and who answers for what is idle.
        used: tokens by team, of the central team too.
        full: how many tokens the capacity carries; None where it is not known.

    Returns:
        shares of one.
    """
    found: Weights = {(RESERVED, team): share for team, share in pool.reserved.items()}
    shared = 1 - sum(pool.reserved.values(), Fraction(0))
    # Without a size nobody can say how much of its use a reservation covers: all of it.
    beyond = {
        team: max(tokens - full * pool.reserved.get(team, 0), Fraction(0))
        if full is not None
        else Fraction(0 if team in pool.reserved else tokens)
        for team, tokens in used.items()
    }
    total = sum(beyond.values(), Fraction(0))
    carries = max(full * shared, total) if full is not None else total
    for team, tokens in beyond.items():
        if tokens and shared:
            found[USED, team] = shared * Fraction(tokens, carries)
    filled = sum((w for (part, _), w in found.items() if part == USED), Fraction(0))
    if shared - filled:
        found[IDLE, pool.idle] = shared - filled
    return found


def require_capacity(month: Month, pools: Mapping[str, CostPool]) -> None:
    """Refuse capacity whose pool is not one of capacity.

    Raises:
        AllocationError: naming both.
    """
    for one in month.capacity:
        pool = pools.get(one.pool)
        if pool is None or pool.driver != DRIVER:
            raise AllocationError(
                f"capacity {one.id!r} goes to pool {one.pool!r}, which the policy of {month.period}"
                f" {'declares with another driver' if pool else 'does not declare'}",
                where="policy.yaml",
                next_step=f"declare it: {{id: {one.pool}, driver: capacity, idle: TEAM}}, and"
                " apply",
            )
