"""Documented failures of others in allocating shared cost, by their exhibit numbers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import pytest

from tallybook.allocate.allocate import allocate
from tallybook.allocate.model import Allocation, CostCell, Month, PoolAmount
from tallybook.allocate.pools import pool_shares
from tallybook.books.model import CostPool, Evaluation, PolicyVersion, RateCard, TeamPolicy
from tallybook.clock import Period

UNIT = 10**9


def usage(team: str, units: int, calls: int = 1, purpose: str = "production") -> CostCell:
    return CostCell(
        provider="x",
        team=team,
        feature="",
        purpose=purpose,
        kind="usage",
        service="",
        executor=team,
        fallback=False,
        calls=calls,
        tokens=calls,
        card_pico=units * UNIT * 1000,
        card_nano=units * UNIT,
        variance_nano=0,
    )


def month(cells: Sequence[CostCell], *pools: CostPool, method: str = "direct") -> Month:
    policy = PolicyVersion(
        effective_from=Period.parse("2026-10"),
        default=TeamPolicy("use_case_budget"),
        teams={},
        rate_card=RateCard(),
        pool_method=method,
        pools=pools,
        evaluation=Evaluation(),
        variance="absorb",
        limits={},
    )
    amounts = (PoolAmount(pool.id, pool.monthly_nano, pool.monthly_nano) for pool in pools)
    teams = ("a", "b", "c", "d", "platform")
    return Month("2026-10", tuple(cells), policy, tuple(amounts), {}, teams, "platform")


def pool(name: str, units: int, driver: str, weights=None, **more) -> CostPool:
    return CostPool(name, units * UNIT, driver, weights or {}, 0, "driver", **more)


def held(allocation: Allocation) -> dict[str, int]:
    found: dict[str, int] = defaultdict(int)
    for line in allocation.cost + allocation.charge:
        found[line.account] += line.amount_nano
    return {account: nano for account, nano in found.items() if nano}


def charged(allocation: Allocation) -> int:
    return sum(n for account, n in held(allocation).items() if account.startswith("Charge:"))


def test_c01_opencost_money_vanishes_when_the_driver_is_zero() -> None:
    """27 dollars were gone when no tenant had a cost to share by; here they stay or fall back."""
    quiet = allocate(month([], pool("gpu", 27, "cost")))
    assert held(quiet) == {"Pool:gpu": 27 * UNIT, "Source:gpu": -27 * UNIT}
    instead = allocate(month([], pool("gpu", 27, "cost", fallback=("equal",))))
    assert charged(instead) == 27 * UNIT
    assert "Pool:gpu" not in held(instead)


def test_c02_kubecost_total_rises_when_shares_are_combined() -> None:
    """Sharing idle and shared cost at once raised the total; here pools may feed each other."""
    cells = [usage("a", 70), usage("b", 30)]
    alone = pool("idle", 40, "cost"), pool("shared", 60, "cost")
    feeding = (
        replace(alone[0], serves={"shared": Fraction(1, 2)}),
        replace(alone[1], serves={"idle": Fraction(1, 3)}),
    )
    for pools, method in ((alone, "direct"), (feeding, "reciprocal")):
        assert charged(allocate(month(cells, *pools, method=method))) == 200 * UNIT


def test_c03_opencost_idle_over_counted_behind_a_filter() -> None:
    """Filtering tenants inflated what the rest bore; a share is of everybody, whoever looks."""
    cells = [usage("a", 70), usage("b", 20), usage("c", 10)]
    everybody = month(cells, pool("idle", 100, "cost"))
    shares = {"a": 70 * UNIT, "b": 20 * UNIT, "c": 10 * UNIT}
    assert dict(pool_shares(everybody)[0].amounts_nano) == shares
    hidden = replace(
        everybody, policy=replace(everybody.policy, teams={"a": TeamPolicy("showback")})
    )
    assert dict(pool_shares(hidden)[0].amounts_nano) == shares
    assert charged(allocate(hidden)) == (20 + 10 + 20 + 10) * UNIT


def test_c04_opencost_coefficients_do_not_sum_to_one() -> None:
    """Weights of 1, 1 and 1 over an amount that three does not divide: parts are the whole."""
    cells = [usage(team, 1) for team in "abc"]
    for units in (1, 2, 100):
        (share,) = pool_shares(month(cells, pool("p", units, "calls")))
        assert sum(share.amounts_nano.values()) == units * UNIT
        whole = sum(share.weights.values())
        assert sum(Fraction(weight, whole) for weight in share.weights.values()) == 1


def test_c05_kubecost_shared_cost_goes_negative() -> None:
    """A credit above a tenant's cost made its share negative; it weighs nothing instead."""
    cells = [usage("a", -30), usage("b", 60), usage("c", 20)]
    (share,) = pool_shares(month(cells, pool("shared", 80, "cost")))
    assert share.amounts_nano == {"b": 60 * UNIT, "c": 20 * UNIT}
    assert charged(allocate(month(cells, pool("shared", 80, "cost")))) == (80 + 50) * UNIT


DRIVERS = {  # what each gives of 100 to a, b and c
    "equal": (Fraction(1, 3), Fraction(1, 3), Fraction(1, 3)),
    "fixed": (Fraction(1, 2), Fraction(1, 2), 0),
    "headcount": (Fraction(7, 10), Fraction(2, 10), Fraction(1, 10)),
    "calls": (Fraction(1, 10), Fraction(4, 10), Fraction(5, 10)),
    "tokens": (Fraction(6, 10), Fraction(1, 10), Fraction(3, 10)),
    "cost": (Fraction(2, 10), Fraction(3, 10), Fraction(5, 10)),
    "production_cost": (Fraction(2, 5), Fraction(3, 5), 0),
}


@pytest.mark.parametrize("driver", DRIVERS)
def test_c06_kubecost_only_an_even_split(driver) -> None:
    """Kubecost #1791: what is shared could only be split evenly, so users went to a spreadsheet.

    A pool of 100 over three teams that differ in every measure. Ours: each driver splits by its
    own measure, and the parts are the pool.
    """
    measures = [("a", 2, 1, 60), ("b", 3, 4, 10), ("c", 5, 5, 30)]
    cells = [
        replace(usage(team, units, calls), tokens=tokens) for team, units, calls, tokens in measures
    ]
    cells[2] = replace(cells[2], purpose="development")
    asked = month(cells, pool("p", 100, driver, {"a": 1, "b": 1} if driver == "fixed" else None))
    asked = replace(
        asked, teams=("a", "b", "c", "platform"), headcounts={"a": 7, "b": 2, "c": 1, "platform": 9}
    )
    (share,) = pool_shares(asked)
    assert sum(share.amounts_nano.values()) == 100 * UNIT
    for team, part in zip("abc", DRIVERS[driver], strict=True):
        assert abs(share.amounts_nano.get(team, 0) - part * 100 * UNIT) < 1


def test_c07_opencost_split_between_a_subset() -> None:
    """A resource of two teams was split over all; weights name who shares it."""
    cells = [usage(team, 10, calls=5) for team in "abcd"]
    found = allocate(month(cells, pool("cluster", 90, "fixed", {"b": 2, "d": 1})))
    pools = {a: n for a, n in held(found).items() if a.endswith(":pool")}
    assert pools == {"Charge:b:pool": 60 * UNIT, "Charge:d:pool": 30 * UNIT}
