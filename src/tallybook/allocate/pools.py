"""Spreading cost pools over teams by their drivers (allocation mathematics, section 2).

What stands on a pool after pools have served pools is spread over every team but the central one,
whatever model it is on; the model then decides who pays its share, so shares do not move when a
team changes its model.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from tallybook.allocate.capacity import DRIVER as CAPACITY
from tallybook.allocate.capacity import capacity_shares, require_capacity
from tallybook.allocate.flows import pool_flows, standing_amounts
from tallybook.allocate.model import CostCell, Month, PoolShare, Weight
from tallybook.books.model import CostPool, Driver
from tallybook.errors import AllocationError
from tallybook.money import apportion


def pool_shares(month: Month) -> tuple[PoolShare, ...]:
    """Each pool's share by team, to the unit (INV-10).

    Raises:
        AllocationError: a pool's amount is known and the policy does not declare the pool, pools
            serve only each other, or a headcount is needed and not stated.
    """
    declared = {pool.id: pool for pool in month.policy.pools}
    require_capacity(month, declared)
    amounts = standing_amounts(month, pool_flows(month))
    found: list[PoolShare] = []
    for name in sorted(amounts):
        if declared[name].driver == CAPACITY:
            found += capacity_shares(month, declared[name], amounts[name])
        else:
            found.append(_share(month, declared[name], amounts[name]))
    return tuple(found)


def _share(month: Month, pool: CostPool, total_nano: int) -> PoolShare:
    empty: list[str] = []
    weights: dict[str, Weight] = {}
    for driver in pool.drivers:
        found = driver_weights(month, pool, driver)
        weights = {team: found[team] for team in month.payers if found.get(team, 0)}
        if weights:
            break
        empty.append(driver)
    parts = (
        apportion(
            total_nano,
            list(weights.values()),
            list(weights),
            salt=f"{pool.id}:{month.period}",
            floor=pool.floor_nano,
        )
        if weights
        else []  # every base is empty: the pool stays central and is listed there, never lost
    )
    return PoolShare(
        pool=pool.id,
        driver=driver if weights else pool.driver,
        total_nano=total_nano,
        weights=weights,
        amounts_nano=dict(zip(weights, parts, strict=True)),
        is_evaluation=month.policy.evaluation.funding == "pooled"
        and pool.id == month.policy.evaluation.pool,
        empty=tuple(empty),
    )


def driver_weights(month: Month, pool: CostPool, driver: Driver) -> Mapping[str, Weight]:
    """The weight of each team under a driver of the pool; a team that is missing weighs nothing.

    Raises:
        AllocationError: the driver is headcount and a team has none stated.
    """
    if driver == "equal":
        return dict.fromkeys(month.payers, 1)
    if driver == "fixed":
        return pool.weights
    if driver == "headcount":
        return _headcounts(month, pool)
    weights: dict[str, Weight] = defaultdict(int)
    for cell in month.cells:
        if cell.team != month.unowned:
            weights[cell.team] += _measure(cell, driver)
    # A credit can make a small team's cost negative for a while; it then carries no share.
    return {team: max(weight, 0) for team, weight in weights.items()}


def _headcounts(month: Month, pool: CostPool) -> Mapping[str, Weight]:
    """Heads at month end; a team that has ended by then has none."""
    found: dict[str, Weight] = {}
    for team in month.payers:
        heads = month.headcounts.get(team, 0)
        if heads is None:
            raise AllocationError(
                f"team {team!r} states no headcount, and pool {pool.id!r} is spread by headcount",
                where=f"org.yaml, {month.period}",
                next_step=f"add headcount: to the row of {team} that holds at month end, and apply",
            )
        found[team] = heads
    return found


def _measure(cell: CostCell, driver: str) -> Weight:
    if driver == "calls":
        return cell.calls
    if driver == "tokens":
        return cell.tokens
    if driver == "cost":
        return cell.card_pico
    if driver == "production_cost":
        return cell.card_pico if cell.purpose == "production" else 0
    raise AllocationError(f"there is no cost driver {driver!r}")
