"""Spreading cost pools by their drivers, directly (allocation mathematics, section 2).

Every pool is spread over every team but the central one, whatever model it is on; the model then
decides who pays its share, so shares do not move when a team changes its model.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from tallybook.allocate.model import CostCell, Month, PoolShare, Weight
from tallybook.books.model import CostPool
from tallybook.errors import AllocationError
from tallybook.money import apportion


def pool_shares(month: Month) -> tuple[PoolShare, ...]:
    """Each pool's share by team, to the unit (INV-10).

    Raises:
        AllocationError: a pool's amount is known and the policy does not declare the pool.
    """
    declared = {pool.id: pool for pool in month.policy.pools}
    amounts = {pool.pool: pool.policy_nano for pool in month.pools}
    evaluation_pool = month.policy.evaluation.pool
    if month.policy.evaluation.funding == "pooled":
        pooled = sum(cell.card_nano for cell in month.cells if month.is_pooled(cell))
        amounts[evaluation_pool] = amounts.get(evaluation_pool, 0) + pooled
    shares = []
    for pool_id in sorted(amounts):
        if pool_id not in declared:
            raise AllocationError(
                f"pool {pool_id!r} has an amount but the policy does not declare it",
                where=month.period,
                next_step="declare the pool in policy.yaml and apply",
            )
        shares.append(_share(month, declared[pool_id], amounts[pool_id]))
    return tuple(shares)


def _share(month: Month, pool: CostPool, total_nano: int) -> PoolShare:
    weights = driver_weights(month, pool)
    teams = [team for team in month.payers if weights.get(team, 0)]
    parts = (
        apportion(
            total_nano,
            [weights[team] for team in teams],
            teams,
            salt=f"{pool.id}:{month.period}",
            floor=pool.floor_nano,
        )
        if teams
        else []  # an empty base: the pool stays central and is listed there, never lost
    )
    return PoolShare(
        pool=pool.id,
        driver=pool.driver,
        total_nano=total_nano,
        weights={team: weights[team] for team in teams},
        amounts_nano=dict(zip(teams, parts, strict=True)),
        is_evaluation=month.policy.evaluation.funding == "pooled"
        and pool.id == month.policy.evaluation.pool,
    )


def driver_weights(month: Month, pool: CostPool) -> Mapping[str, Weight]:
    """The weight of each team under the pool's driver; a team that is missing weighs nothing."""
    if pool.driver == "equal":
        return dict.fromkeys(month.payers, 1)
    if pool.driver == "fixed":
        return pool.weights
    weights: dict[str, Weight] = defaultdict(int)
    for cell in month.cells:
        if cell.team != month.unowned:
            weights[cell.team] += _measure(cell, pool.driver)
    # A credit can make a small team's cost negative for a while; it then carries no share.
    return {team: max(weight, 0) for team, weight in weights.items()}


def _measure(cell: CostCell, driver: str) -> Weight:
    if driver == "calls":
        return cell.calls
    if driver == "tokens":
        return cell.tokens
    if driver == "cost":
        return cell.card_nano
    if driver == "production_cost":
        return cell.card_nano if cell.purpose == "production" else 0
    raise AllocationError(f"there is no cost driver {driver!r}")
