"""Capacity by reservation and use: what each part bears, exactly and to the unit."""

from __future__ import annotations

import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallybook.allocate.allocate import allocate
from tallybook.allocate.capacity import (
    IDLE,
    RESERVED,
    USED,
    capacity_shares,
    capacity_weights,
    full_of,
)
from tallybook.allocate.model import CapacityCost
from tallybook.allocate.pools import pool_shares
from tallybook.books.model import CostPool
from tallybook.errors import AllocationError

sys.path.insert(0, str(Path(__file__).parent))
import worked_example as law

TEAMS = ("a", "b", "c", "unowned")


def pool(idle="c", **reserved):
    shares = {team: Fraction(percent, 100) for team, percent in reserved.items()}
    return CostPool("ptu", None, "capacity", {}, 0, "driver", reserved=shares, idle=idle)


def test_who_reserved_pays_and_what_is_left_is_idle():
    used = {"a": 60, "b": 5, "unowned": 5}
    assert capacity_weights(pool(a=50), used, Fraction(100)) == {
        (RESERVED, "a"): Fraction(1, 2),
        (USED, "a"): Fraction(1, 10),
        (USED, "b"): Fraction(1, 20),
        (USED, "unowned"): Fraction(1, 20),
        (IDLE, "c"): Fraction(3, 10),
    }


def test_more_use_than_it_carries_is_shared_and_nothing_is_idle():
    assert capacity_weights(pool(a=50), {"a": 150, "b": 100}, Fraction(100)) == {
        (RESERVED, "a"): Fraction(1, 2),
        (USED, "a"): Fraction(1, 4),
        (USED, "b"): Fraction(1, 4),
    }


def test_without_a_size_what_is_not_reserved_goes_by_use():
    assert capacity_weights(pool(a=40), {"a": 999, "b": 1, "c": 2}, None) == {
        (RESERVED, "a"): Fraction(2, 5),
        (USED, "b"): Fraction(1, 5),
        (USED, "c"): Fraction(2, 5),
    }
    assert capacity_weights(pool(), {}, None) == {(IDLE, "c"): Fraction(1)}


@given(
    reserved=st.lists(st.integers(0, 33), min_size=3, max_size=3),
    used=st.lists(st.integers(0, 10**9), min_size=4, max_size=4),
    full=st.none() | st.integers(1, 10**9).map(Fraction),
)
def test_the_whole_cost_is_borne_and_use_of_others_moves_no_reservation(reserved, used, full):
    one = pool(**dict(zip("abc", reserved, strict=True)))
    found = capacity_weights(one, dict(zip(TEAMS, used, strict=True)), full)
    assert sum(found.values()) == 1
    assert all(weight >= 0 for weight in found.values())
    for team, share in one.reserved.items():
        assert found[RESERVED, team] == share
    assert {team for part, team in found if part == IDLE} <= {"c"}


@pytest.mark.parametrize("idle", ["c", "b"])
def test_the_order_of_teams_does_not_matter(idle):
    used = {"a": 7, "b": 11, "unowned": 2}
    turned = dict(reversed(list(used.items())))
    one = pool(idle, a=10)
    assert capacity_weights(one, used, Fraction(50)) == capacity_weights(one, turned, Fraction(50))


def test_a_month_shows_the_three_parts_and_leaves_central_use_out():
    month = law.with_capacity("real_cost")
    shares = {share.part: share for share in pool_shares(month) if share.pool == "ptu"}
    nano = {part: dict(share.amounts_nano) for part, share in shares.items()}
    assert nano == {
        RESERVED: {"A": 500 * law.UNIT},
        USED: {"A": 100 * law.UNIT, "B": 50 * law.UNIT},
        IDLE: {"B": 300 * law.UNIT},
    }
    assert {part: share.total_nano for part, share in shares.items()} == {
        RESERVED: 500 * law.UNIT,
        USED: 200 * law.UNIT,
        IDLE: 300 * law.UNIT,
    }
    assert shares[USED].weights == {
        "A": Fraction(1, 10),
        "B": Fraction(1, 20),
        "platform": Fraction(1, 20),
    }
    assert [share.label for share in shares.values()] == ["ptu reserved", "ptu used", "ptu idle"]
    assert {share.driver for share in shares.values()} == {"capacity"}


def test_what_bills_capacity_is_accrued_and_the_rest_is_from_its_source():
    lines = [
        x for x in allocate(law.with_capacity("showback")).cost if x.detail in ("unit", "rack")
    ]
    found = [(x.group, x.account, x.amount_nano // law.UNIT, x.provider) for x in lines]
    assert sorted(found) == [
        ("capacity:rack", "Pool:ptu", 100, ""),
        ("capacity:rack", "Source:rack", -100, ""),
        ("capacity:unit", "Accrued:X%3Aeu", -900, "X:eu"),
        ("capacity:unit", "Pool:ptu", 900, "X:eu"),
    ]


def takers(month, one):
    """Which part and team get the one nano that a pool costs."""
    shares = capacity_shares(month, one, 1)
    (taker,) = [(x.part, team) for x in shares for team, nano in x.amounts_nano.items() if nano]
    return taker


def test_a_nano_that_three_may_have_goes_by_pool_and_month():
    unused = replace(law.month("showback"), capacity_use={})
    months = [replace(unused, period=f"2026-{number:02}") for number in range(1, 13)]
    thirds = replace(pool("A"), reserved=dict.fromkeys(("A", "B"), Fraction(1, 3)))
    got = [takers(month, thirds) for month in months]
    assert set(got) == {(RESERVED, "A"), (RESERVED, "B"), (IDLE, "A")}
    assert got != [takers(month, replace(thirds, id="other")) for month in months]


def capacity(pool_id="ptu", full=None, *, serves=True):
    return CapacityCost("unit", pool_id, "X", 1, full, serves)


@pytest.mark.parametrize(
    ("held", "full"),
    [
        ([capacity(full=Fraction(5)), capacity(full=Fraction(7, 2))], Fraction(17, 2)),
        ([capacity(full=Fraction(5)), capacity("other", Fraction(7))], 5),
        ([capacity(full=Fraction(5)), capacity(serves=False)], 5),
        ([capacity(full=Fraction(5)), capacity("other")], 5),
        ([capacity(full=Fraction(5)), capacity()], None),
        ([capacity(full=Fraction(5), serves=False)], None),
        ([], None),
    ],
)
def test_a_pool_carries_what_is_known_of_all_that_serves(held, full):
    month = replace(law.month("showback"), capacity=tuple(held))
    assert full_of(month, "ptu") == full


@pytest.mark.parametrize(
    ("goes_to", "says"),
    [("nowhere", "does not declare"), ("gateway", "declares with another driver")],
)
def test_capacity_takes_a_pool_of_capacity(goes_to, says):
    month = law.with_capacity("showback")
    month = replace(month, capacity=(capacity(goes_to, Fraction(1)),))
    with pytest.raises(AllocationError) as caught:
        allocate(month)
    assert str(caught.value).splitlines() == [
        f"policy.yaml: capacity 'unit' goes to pool '{goes_to}', which the policy of 2026-10 {says}",
        f"  next: declare it: {{id: {goes_to}, driver: capacity, idle: TEAM}}, and apply",
    ]
