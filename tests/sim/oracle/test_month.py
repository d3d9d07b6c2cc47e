"""The oracle's month: fair shares of pools add up to the pools, and its cost layer to zero."""

from __future__ import annotations

from fractions import Fraction

import pytest

from sim.oracle.test_pools import month
from tallybook.sim.oracle.month import cost_layer, fair_share

METHODS = ("pool_method: reciprocal", "pool_method: direct")


@pytest.mark.parametrize("method", METHODS)
def test_fair_shares_of_two_teams_are_the_pools(method: str) -> None:
    made = month(method)
    shares = [fair_share(made, team) for team in ("A", "B")]
    assert sum(shares, Fraction(0)) == 2000
    assert all(share > 0 for share in shares)


@pytest.mark.parametrize("method", METHODS)
def test_the_cost_layer_sums_to_zero(method: str) -> None:
    posted = cost_layer(month(method))
    assert posted
    assert sum((one.amount for one in posted), Fraction(0)) == 0
