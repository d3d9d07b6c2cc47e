"""Drivers, what stands in for an empty base, and floors, at the level of a pool."""

from __future__ import annotations

import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallybook.allocate.allocate import allocate
from tallybook.allocate.model import Month, PoolAmount
from tallybook.allocate.pools import pool_shares
from tallybook.books.model import CostPool, Evaluation
from tallybook.errors import AllocationError

sys.path.insert(0, str(Path(__file__).parent))
import worked_example as law

UNIT = law.UNIT


def month_with(pool: CostPool, total=100, **changes) -> Month:
    month = law.month("budget_actual")
    policy = replace(month.policy, pools=(pool,), evaluation=Evaluation())
    return replace(
        month, policy=policy, pools=(PoolAmount(pool.id, total * UNIT, total * UNIT),), **changes
    )


def pool(driver, floor=0, weights=None, **more) -> CostPool:
    return CostPool("p", 100 * UNIT, driver, weights or {}, floor * UNIT, "driver", **more)


def share(month: Month):
    (found,) = pool_shares(month)
    return found


def parts(month: Month) -> dict[str, int]:
    return dict(share(month).amounts_nano)


def test_headcount_is_that_of_month_end():
    month = month_with(pool("headcount"), headcounts={"A": 6, "B": 14, "platform": 80})
    assert parts(month) == {"A": 30 * UNIT, "B": 70 * UNIT}
    gone = month_with(pool("headcount"), headcounts={"A": 6, "platform": 80})
    assert parts(gone) == {"A": 100 * UNIT}


def test_a_team_without_a_stated_headcount_is_named():
    with pytest.raises(AllocationError, match="team 'B' states no headcount, and pool 'p'") as no:
        pool_shares(month_with(pool("headcount"), headcounts={"A": 6, "B": None}))
    assert "add headcount: to the row of B" in no.value.next_step
    # The central team is outside of every driver, and nobody asks for a headcount not used.
    month = month_with(pool("headcount"), headcounts={"A": 6, "B": 6, "platform": None})
    assert parts(month) == {"A": 50 * UNIT, "B": 50 * UNIT}
    unused = month_with(pool("calls", fallback=("headcount",)), headcounts={"A": None})
    assert share(unused).driver == "calls"


def test_a_fallback_takes_the_place_of_an_empty_base():
    quiet = {"cells": ()}
    chain = pool("calls", fallback=("cost", "fixed"), weights={"A": 1, "B": 3})
    found = share(month_with(chain, **quiet))
    assert (found.driver, found.empty) == ("fixed", ("calls", "cost"))
    assert found.amounts_nano == {"A": 25 * UNIT, "B": 75 * UNIT}
    equal = share(month_with(pool("tokens", fallback=("equal",)), **quiet))
    assert equal.amounts_nano == {"A": 50 * UNIT, "B": 50 * UNIT}
    busy = share(month_with(chain))
    assert (busy.driver, busy.empty) == ("calls", ())


def test_without_a_fallback_an_empty_base_leaves_the_pool_central():
    month = month_with(pool("calls"), cells=())
    found = share(month)
    assert (found.driver, found.empty, found.amounts_nano) == ("calls", ("calls",), {})
    held = {line.account: line.amount_nano for line in allocate(month).lines}
    assert held == {"Pool:p": 100 * UNIT, "Source:p": -100 * UNIT}
    chain = month_with(pool("calls", fallback=("cost",)), cells=())
    assert share(chain).empty == ("calls", "cost")


def test_a_floor_lifts_the_light_and_the_rest_is_shared():
    weights = {"A": 1, "B": 99}
    assert parts(month_with(pool("fixed", 0, weights))) == {"A": UNIT, "B": 99 * UNIT}
    assert parts(month_with(pool("fixed", 10, weights))) == {"A": 10 * UNIT, "B": 90 * UNIT}
    assert parts(month_with(pool("fixed", 10, {"A": 0, "B": 9}))) == {"B": 100 * UNIT}


def test_floors_that_the_pool_cannot_hold_shrink_alike():
    month = month_with(pool("fixed", 60, {"A": 1, "B": 99}))
    assert parts(month) == {"A": 50 * UNIT, "B": 50 * UNIT}
    three = month_with(pool("equal", 60), total=1, teams=("A", "B", "C", "platform"))
    found = parts(three)
    assert sum(found.values()) == UNIT
    assert max(found.values()) - min(found.values()) <= 1


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["A", "B", "C", "D"]), st.integers(0, 99), min_size=1),
    st.integers(0, 60),
    st.integers(0, 1000),
)
def test_floors_conserve_and_hold_where_they_can(weights, floor, total):
    month = month_with(pool("fixed", floor, weights), total, teams=("A", "B", "C", "D", "platform"))
    found = parts(month)
    live = [team for team, weight in weights.items() if weight]
    assert set(found) == set(live)
    if not live:
        return
    assert sum(found.values()) == total * UNIT
    if floor * len(live) <= total:
        assert min(found.values()) >= floor * UNIT


@pytest.mark.parametrize(
    ("driver", "a", "b"),
    [
        ("calls", 80, 40),
        ("tokens", 6_000_000, 5_000_000),
        ("cost", 700 * UNIT * 1000, 200 * UNIT * 1000),
        ("production_cost", 600 * UNIT * 1000, 200 * UNIT * 1000),
        ("equal", 1, 1),
    ],
)
def test_each_driver_weighs_its_own_measure(driver, a, b):
    assert share(month_with(pool(driver))).weights == {"A": a, "B": b}


def test_a_credit_carries_no_share_and_turns_none_around():
    month = month_with(pool("cost"))
    credited = tuple(
        replace(cell, card_pico=-cell.card_pico) if cell.team == "B" else cell
        for cell in month.cells
    )
    assert parts(replace(month, cells=credited)) == {"A": 100 * UNIT}


def test_an_allocation_tells_its_flows():
    month = law.month("mixed")
    gateway, quality = month.policy.pools
    served = replace(gateway, serves={"quality": Fraction(1, 5)})
    policy = replace(month.policy, pools=(served, quality), pool_method="reciprocal")
    found = allocate(replace(month, policy=policy))
    assert [(flow.giver, flow.taker, flow.amount_nano) for flow in found.flows] == [
        ("gateway", "quality", 30 * UNIT)
    ]
    assert allocate(month).flows == ()


def test_under_real_cost_a_pool_that_markup_does_not_recover_is_charged():
    month = law.month("real_cost")
    gateway, quality = month.policy.pools
    policy = replace(month.policy, pools=(replace(gateway, recovered_by="driver"), quality))
    charged = {
        line.account: line.amount_nano
        for line in allocate(replace(month, policy=policy)).charge
        if line.detail == "gateway"
    }
    assert charged == {"Charge:A:pool": 100 * UNIT, "Charge:B:pool": 50 * UNIT}
