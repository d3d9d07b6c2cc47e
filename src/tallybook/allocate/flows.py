"""Pools that serve pools (allocation mathematics, section 2): what each passes on to which.

A pool has an amount of its own: its policy amount, and pooled evaluation if it is filled by it.
Under `direct` it passes nothing on. Under `step_down` pools are closed one by one, and what a
closed pool would have used goes to those still open. Under `reciprocal` all pools are served at
once: with ``c`` the own amounts and ``P[i][j]`` the share of pool i that pool j uses, the whole
amounts ``x`` solve ``x = c + P^T x``, in fractions, so the order of pools cannot matter.

Flows are whole nano units, and a pool never passes on more or less than it has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from tallybook.allocate.model import Month, PoolFlow
from tallybook.errors import AllocationError
from tallybook.money import apportion, whole_flow

_TEAMS = ""
"""Where a pool's own users stand among the pools."""

_Shares = Mapping[str, Mapping[str, Fraction]]
"""By pool, the share of it that each user has, teams together; the shares sum to one."""


def own_amounts(month: Month) -> dict[str, int]:
    """What each pool cost before any pool serves another, at policy, in nano.

    Raises:
        AllocationError: a pool's amount is known and the policy does not declare the pool.
    """
    amounts = {pool.pool: pool.policy_nano for pool in month.pools}
    for one in month.capacity:
        amounts[one.pool] = amounts.get(one.pool, 0) + one.amount_nano
    if month.policy.evaluation.funding == "pooled":
        filled = month.policy.evaluation.pool
        pooled = sum(cell.card_nano for cell in month.cells if month.is_pooled(cell))
        amounts[filled] = amounts.get(filled, 0) + pooled
    unknown = sorted(amounts.keys() - {pool.id for pool in month.policy.pools})
    if unknown:
        raise AllocationError(
            f"pool {unknown[0]!r} has an amount but the policy does not declare it",
            where=month.period,
            next_step="declare the pool in policy.yaml and apply",
        )
    return amounts


def pool_flows(month: Month) -> tuple[PoolFlow, ...]:
    """What each pool passes on to which, sorted; none under `direct`.

    Raises:
        AllocationError: pools serve only each other, or a pool's amount is undeclared.
    """
    method = month.policy.pool_method
    pools = month.policy.pools
    if method == "direct" or not any(pool.serves for pool in pools):
        return ()
    shares = {pool.id: {**pool.serves, _TEAMS: pool.for_teams} for pool in pools}
    amounts = {**dict.fromkeys(shares, 0), **own_amounts(month)}
    if method == "step_down":
        flows = _step_down(amounts, shares, month)
    else:
        flows = _reciprocal(amounts, shares)
    return tuple(
        PoolFlow(giver, taker, nano)
        for (giver, taker), nano in sorted(flows.items())
        if taker != _TEAMS and nano
    )


def standing_amounts(month: Month, flows: Sequence[PoolFlow]) -> dict[str, int]:
    """What stands on each pool for its teams, after the flows, in nano."""
    amounts = own_amounts(month)
    for flow in flows:
        amounts[flow.giver] = amounts.get(flow.giver, 0) - flow.amount_nano
        amounts[flow.taker] = amounts.get(flow.taker, 0) + flow.amount_nano
    return amounts


def _step_down(own: Mapping[str, int], shares: _Shares, month: Month) -> dict[tuple[str, str], int]:
    amounts = dict(own)
    flows = {}
    closed = set()
    for giver in month.policy.pool_order:
        closed.add(giver)
        users = {taker: share for taker, share in shares[giver].items() if taker not in closed}
        if not any(users.values()):
            raise _trapped([giver])
        parts = apportion(
            amounts[giver], list(users.values()), list(users), salt=f"{giver}:{month.period}"
        )
        for taker, nano in zip(users, parts, strict=True):
            flows[giver, taker] = nano
            if taker != _TEAMS:
                amounts[taker] += nano
    return flows


def _reciprocal(own: Mapping[str, int], shares: _Shares) -> dict[tuple[str, str], int]:
    gross = _gross(own, shares)
    exact = {
        (giver, taker): gross[giver] * share
        for giver in gross
        for taker, share in shares[giver].items()
    }
    return whole_flow(exact)


def _gross(own: Mapping[str, int], shares: _Shares) -> dict[str, Fraction]:
    """Solve ``(I - P^T) x = c`` by elimination.

    ``x`` is what passes through each pool, so it counts an amount once in every pool that it
    visits; its sum is no cost.
    """
    names = sorted(own)
    rows = [
        [
            *(Fraction(int(taker == giver)) - shares[giver].get(taker, 0) for giver in names),
            Fraction(own[taker]),
        ]
        for taker in names
    ]
    for at, name in enumerate(names):
        pivot = next((row for row in range(at, len(rows)) if rows[row][at]), None)
        if pivot is None:
            raise _trapped([name])
        rows[at], rows[pivot] = rows[pivot], rows[at]
        head = rows[at] = [Fraction(value, rows[at][at]) for value in rows[at]]
        for row, values in enumerate(rows):
            if row != at and values[at]:
                factor = values[at]
                rows[row] = [
                    value - factor * other for value, other in zip(values, head, strict=True)
                ]
    return {name: row[-1] for name, row in zip(names, rows, strict=True)}


def _trapped(names: Sequence[str]) -> AllocationError:
    return AllocationError(
        f"what stands on pool {', '.join(names)} can never reach a team: pools serve only each"
        " other",
        where="policy.yaml",
        next_step="lower a share under serves, or change pool_order, and apply",
    )
