"""Capacity by reservation and use: what each part bears, exactly and to the unit."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallybook.allocate.capacity import IDLE, RESERVED, USED, capacity_weights
from tallybook.books.model import CostPool

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
