"""Pools: what each costs, what pools pass on to pools, and each team's share by its driver.

Step-down closes one pool after the other: what is in it goes to its users that are still open, in
proportion to what they use. Under the reciprocal method all pools are served at once, and what
passes through each is the solution of one linear equation a pool, found here by determinants.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from fractions import Fraction
from itertools import permutations

from tallybook.sim.oracle.books import TICK, Row, by_id, percent
from tallybook.sim.oracle.capacity import cost_of_capacity, stood
from tallybook.sim.oracle.lines import ZERO, Line, Month

TEAMS = ""
"""What of a pool no other pool uses."""

Flows = dict[tuple[str, str], Fraction]
"""From pool to pool."""


def pool_amount(month: Month, pool: Row) -> Fraction:
    """What a pool holds by itself: its policy amount, and evaluation if it pays for that."""
    pooled = (x.cost.card for x in month.lines if month.is_pooled(x))
    filled = sum(pooled, ZERO) if pool["id"] == month.evaluation_pool else ZERO
    return Fraction(pool.get("monthly", "0")) + filled + capacity_cost(month, pool)


def capacity_cost(month: Month, pool: Row) -> Fraction:
    """What the capacity of a pool costs in the month."""
    rows = month.books.prices.get("capacity", [])
    mine = (cost_of_capacity(month.books, row) for row in rows if row["pool"] == pool["id"])
    return sum(mine, ZERO)


def uses(pool: Row) -> dict[str, Fraction]:
    """Which share of a pool each other pool uses; what is left is for teams."""
    served = {str(taker): percent(text) for taker, text in pool.get("serves", {}).items()}
    return {**served, TEAMS: 1 - sum(served.values(), ZERO)}


def has_flows(month: Month) -> bool:
    """Whether pools pass on anything to pools."""
    policy = month.books.policy
    serving = any("serves" in pool for pool in policy.get("pools", []))
    return serving and policy.get("pool_method", "direct") != "direct"


def pool_flows(month: Month) -> Flows:
    """What pools pass on to pools under the policy's method."""
    if not has_flows(month):
        return {}
    pools = {str(pool["id"]): pool for pool in month.books.policy.get("pools", [])}
    shares = {name: uses(pool) for name, pool in pools.items()}
    amounts = {name: pool_amount(month, pool) for name, pool in pools.items()}
    if month.books.policy["pool_method"] == "step_down":
        return stepped_down(amounts, shares, month.books.policy["pool_order"])
    return served_at_once(amounts, shares)


def stepped_down(
    amounts: Mapping[str, Fraction], shares: Mapping[str, Mapping[str, Fraction]], order: list[str]
) -> Flows:
    """Close the pools in order."""
    held, closed = dict(amounts), set()
    flows: Flows = {}
    for giver in order:
        closed.add(giver)
        still = {taker: share for taker, share in shares[giver].items() if taker not in closed}
        for taker, share in still.items():
            if taker != TEAMS:
                flows[giver, taker] = held[giver] * share / sum(still.values(), ZERO)
                held[taker] += flows[giver, taker]
    return flows


def served_at_once(
    amounts: Mapping[str, Fraction], shares: Mapping[str, Mapping[str, Fraction]]
) -> Flows:
    """Solve "what passes through a pool is its own amount and its share of every other"."""
    names = list(amounts)
    rows = [[(a == b) - shares[b].get(a, ZERO) for b in names] for a in names]
    whole = determinant(rows)
    flows: Flows = {}
    for at, giver in enumerate(names):
        replaced = [
            [*row[:at], amounts[name], *row[at + 1 :]]
            for name, row in zip(names, rows, strict=True)
        ]
        through = determinant(replaced) / whole
        flows |= {(giver, x): through * part for x, part in shares[giver].items() if x != TEAMS}
    return flows


def determinant(rows: list[list[Fraction]]) -> Fraction:
    """The sum over all orders of the columns; there are few pools."""
    total = ZERO
    for order in permutations(range(len(rows))):
        swaps = sum(a > b for at, a in enumerate(order) for b in order[at + 1 :])
        product = Fraction((-1) ** swaps)
        for row, column in zip(rows, order, strict=True):
            product *= row[column]
        total += product
    return total


def standing(month: Month, pool: Row) -> Fraction:
    """What stands on a pool for its teams, after the flows."""
    name, flows = pool["id"], pool_flows(month)
    taken = sum((x for (_, taker), x in flows.items() if taker == name), ZERO)
    given = sum((x for (giver, _), x in flows.items() if giver == name), ZERO)
    return pool_amount(month, pool) + taken - given


def pool_shares(month: Month, pool: Row) -> dict[str, Fraction]:
    """A pool's driver share of each team, by the first driver with a base; empty without one."""
    shares: defaultdict[str, Fraction] = defaultdict(Fraction)
    for (_, team), share in pool_parts(month, pool).items():
        shares[team] += share
    return dict(shares)


def pool_parts(month: Month, pool: Row) -> dict[tuple[str, str], Fraction]:
    """The same by part and team: that of capacity has three parts, any other one without a name."""
    if pool["driver"] == "capacity":
        return capacity_parts(month, pool)
    for driver in (pool["driver"], *pool.get("fallback", [])):
        weights = driver_weights(month, pool, str(driver))
        if any(weights.values()):
            shares = spread(standing(month, pool), weights, Fraction(pool.get("floor", "0")))
            return {("", team): share for team, share in shares.items()}
    return {}


def capacity_parts(month: Month, pool: Row) -> dict[tuple[str, str], Fraction]:
    """Who reserved pays that; use beyond it pays what nobody reserved, as far as it is filled.

    What is left is idle, and its owner's. The central team is charged nothing.
    """
    whole, full = capacity_cost(month, pool), filled_by(month, pool)
    reserved = {team: percent(text) for team, text in pool.get("reserved", {}).items()}
    free = 1 - sum(reserved.values(), ZERO)
    beyond = {}
    for team, tokens in ran_on(month, pool).items():
        kept = reserved.get(team)
        own = ZERO if kept is None else Fraction(tokens) if full is None else full * kept
        beyond[team] = max(tokens - own, ZERO)
    used = sum(beyond.values(), ZERO)
    size = used if full is None else max(used, full * free)
    parts = {("reserved", team): whole * share for team, share in reserved.items()}
    parts |= {("used", team): whole * free * n / size for team, n in beyond.items() if n}
    parts["idle", pool["idle"]] = whole - sum(parts.values(), ZERO)
    return {
        (part, team): share
        for (part, team), share in parts.items()
        if share and team in month.teams()
    }


def filled_by(month: Month, pool: Row) -> Fraction | None:
    """How many tokens the capacity of a pool carries in the month, if all of it says so."""
    rows = [
        row
        for row in month.books.prices.get("capacity", [])
        if row["pool"] == pool["id"] and {"model", "tier", "region"} & row.keys()
        and stood(month.books, row)
    ]  # fmt: skip
    if not rows or any("full" not in row for row in rows):
        return None
    parts = (Fraction(row["full"]) * stood(month.books, row) for row in rows)
    return sum(parts, ZERO)


def ran_on(month: Month, pool: Row) -> dict[str, int]:
    """Tokens by team on the capacity of a pool."""
    rows = month.books.prices.get("capacity", [])
    mine = {row["id"] for row in rows if row["pool"] == pool["id"]}
    found: defaultdict[str, int] = defaultdict(int)
    for line in month.lines:
        if line.cost.capacity in mine:
            found[line.owner.team] += line.tokens
    return dict(found)


def driver_weights(month: Month, pool: Row, driver: str) -> dict[str, Fraction]:
    """The weight of each team under a driver."""
    if driver == "equal":
        return dict.fromkeys(month.teams(), Fraction(1))
    if driver == "fixed":
        fixed = {team: Fraction(weight) for team, weight in pool["weights"].items()}
        return {team: fixed.get(team, ZERO) for team in month.teams()}
    if driver == "headcount":
        there = by_id(month.books, "teams", month.books.end - TICK)
        return {team: Fraction(there[team]["headcount"]) for team in month.teams() if team in there}
    measures: dict[str, Callable[[Line], Fraction | int]] = {
        "calls": lambda line: line.calls,
        "tokens": lambda line: line.tokens,
        "cost": lambda line: line.cost.card,
        "production_cost": lambda line: line.cost.card * (line.owner.purpose == "production"),
    }
    weights: defaultdict[str, Fraction] = defaultdict(Fraction)
    for line in filter(month.is_outside, month.lines):
        weights[line.owner.team] += measures[driver](line)
    return weights


def spread(
    total: Fraction, weights: Mapping[str, Fraction], floor: Fraction = ZERO
) -> dict[str, Fraction]:
    """Shares by weight; a weight that is not zero gets the floor at least, by water-filling.

    Floors that cannot all be met shrink to equal shares.
    """
    rest = {name: weight for name, weight in weights.items() if weight}
    floor = min(floor, total / len(rest)) if rest else floor
    shares: dict[str, Fraction] = {}
    low = set(rest)
    while low:
        left = total - floor * len(shares)
        base = sum(rest.values(), ZERO)
        low = {name for name, weight in rest.items() if left * weight < floor * base}
        shares |= dict.fromkeys(low, floor)
        rest = {name: weight for name, weight in rest.items() if name not in low}
    left = total - floor * len(shares)
    base = sum(rest.values(), ZERO)
    return shares | {name: left * weight / base for name, weight in rest.items()}
