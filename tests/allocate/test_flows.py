"""Pools that serve pools: the three methods, on a known example and on random pools."""

from __future__ import annotations

import sys
from collections import defaultdict
from dataclasses import replace
from fractions import Fraction
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tallybook.allocate.allocate import allocate
from tallybook.allocate.flows import pool_flows
from tallybook.allocate.model import Month, PoolAmount
from tallybook.allocate.pools import pool_shares
from tallybook.books.build_pools import closed_cycle
from tallybook.books.model import CostPool, Evaluation
from tallybook.errors import AllocationError
from tallybook.money import cents_of_nano, format_cents

sys.path.insert(0, str(Path(__file__).parent))
import worked_example as law


def percent(**shares: int) -> dict[str, Fraction]:
    return {pool: Fraction(share, 100) for pool, share in shares.items()}


# Three pools and two teams: what each pool costs, which share of it other pools use, and how the
# rest is divided between the teams.
POOLS = {
    "gateway": (1000, percent(logging=20, governance=10), {"A": 40, "B": 30}),
    "logging": (600, percent(gateway=10, governance=10), {"A": 50, "B": 30}),
    "governance": (400, percent(gateway=20, logging=20), {"A": 40, "B": 20}),
}
A_BY_ORDER = {
    ("gateway", "logging", "governance"): "1237.04",
    ("gateway", "governance", "logging"): "1228.12",
    ("logging", "gateway", "governance"): "1225.00",
    ("logging", "governance", "gateway"): "1201.43",
    ("governance", "gateway", "logging"): "1215.00",
    ("governance", "logging", "gateway"): "1198.10",
}


def month_of(method, pools=POOLS, order=(), teams=("A", "B", "platform")) -> Month:
    policy = replace(
        law.policy(law.MODELS["budget_actual"]),
        evaluation=Evaluation(),
        pool_method=method,
        pool_order=tuple(order),
        pools=tuple(
            CostPool(name, cost, "fixed", weights, 0, "driver", serves=serves)
            for name, (cost, serves, weights) in pools.items()
        ),
    )
    return Month(
        period="2026-10",
        cells=(),
        policy=policy,
        pools=tuple(
            PoolAmount(name, cost * law.UNIT, cost * law.UNIT)
            for name, (cost, _, _) in pools.items()
        ),
        budgets={},
        teams=teams,
        unowned="platform",
    )


def borne(month: Month) -> dict[str, int]:
    found: dict[str, int] = defaultdict(int)
    for share in pool_shares(month):
        for team, nano in share.amounts_nano.items():
            found[team] += nano
    return dict(found)


def in_cents(month: Month) -> dict[str, str]:
    return {team: format_cents(cents_of_nano(nano)) for team, nano in borne(month).items()}


def test_direct_ignores_what_pools_use_of_each_other():
    assert in_cents(month_of("direct")) == {"A": "1213.10", "B": "786.90"}
    assert pool_flows(month_of("direct", order=["gateway"])) == ()


@pytest.mark.parametrize("order", A_BY_ORDER)
def test_step_down_depends_on_the_order(order):
    found = borne(month_of("step_down", order=order))
    assert format_cents(cents_of_nano(found["A"])) == A_BY_ORDER[order]
    assert found["A"] + found["B"] == 2000 * law.UNIT


def test_a_closed_pool_receives_nothing_back():
    closed = set()
    order = ("logging", "governance", "gateway")
    flows = pool_flows(month_of("step_down", order=order))
    for pool in order:
        closed.add(pool)
        assert not [flow for flow in flows if flow.giver == pool and flow.taker in closed]
    # logging, 600, goes 10 : 10 : 80 to gateway, governance and teams; governance then has 460,
    # of which logging's part goes to those still open: 20 : 60 to gateway and teams.
    assert [(flow.giver, flow.taker, flow.amount_nano) for flow in flows] == [
        ("governance", "gateway", 115 * law.UNIT),
        ("logging", "gateway", 60 * law.UNIT),
        ("logging", "governance", 60 * law.UNIT),
    ]


@pytest.mark.parametrize("method", ["step_down", "reciprocal"])
def test_a_pool_without_a_cost_of_its_own_passes_on_what_it_got(method):
    pools = {
        "first": (900, percent(between=50), {"A": 1}),
        "between": (0, percent(last=100), {"A": 1}),
        "last": (100, {}, {"B": 1}),
    }
    month = month_of(method, pools, order=("first", "between"))
    month = replace(month, pools=tuple(x for x in month.pools if x.pool != "between"))
    assert borne(month) == {"A": 450 * law.UNIT, "B": 550 * law.UNIT}


def test_a_nano_that_two_pools_may_have_goes_by_pool_and_month():
    halves = {
        "giver": (0, percent(one=50, other=50), {"A": 1}),
        "one": (0, {}, {"A": 1}),
        "other": (0, {}, {"B": 1}),
    }
    month = month_of("step_down", halves, order=("giver",))
    month = replace(month, pools=(PoolAmount("giver", 1, 1),))
    takers = [
        flow.taker
        for number in range(1, 13)
        for flow in pool_flows(replace(month, period=f"2026-{number:02}"))
    ]
    assert set(takers) == {"one", "other"}
    assert len(takers) == 12


def test_reciprocal_serves_all_at_once():
    assert in_cents(month_of("reciprocal")) == {"A": "1219.70", "B": "780.30"}


def neumann(pools, rounds):
    """Cost handed on round by round, as an accountant with patience would."""
    waiting = {name: Fraction(cost * law.UNIT) for name, (cost, _, _) in pools.items()}
    arrived = dict.fromkeys(pools, Fraction(0))
    for _ in range(rounds):
        handed = dict.fromkeys(pools, Fraction(0))
        for name, (_, serves, _) in pools.items():
            arrived[name] += waiting[name] * (1 - sum(serves.values()))
            for taker, share in serves.items():
                handed[taker] += waiting[name] * share
        waiting = handed
    return arrived, sum(waiting.values())


names = ["p", "q", "r", "s"]


FEW = st.integers(0, 30)
MANY = st.integers(0, 50)
NONE = st.just(0)


@st.composite
def networks(draw, served=MANY):
    """Up to four pools, each leaving something for teams unless it serves 100 %."""
    known = names[: draw(st.integers(1, 4))]
    pools = {}
    for name in known:
        left, serves = 100, {}
        for other in known:
            share = min(left, draw(served)) if other != name else 0
            if share:
                serves[other] = share
                left -= share
        weights = {"A": draw(st.integers(1, 9)), "B": draw(st.integers(0, 9))}
        pools[name] = (draw(st.integers(0, 10**6)), percent(**serves), weights)
    assume(not closed_cycle({name: serves for name, (_, serves, _) in pools.items()}))
    return pools


@settings(max_examples=60, deadline=None)
@given(networks(served=FEW))
def test_reciprocal_is_what_endless_rounds_of_handing_on_give(pools):
    arrived, waiting = neumann(pools, 200)
    assert waiting < 1  # nano
    shares = {share.pool: share.total_nano for share in pool_shares(month_of("reciprocal", pools))}
    assert all(abs(shares[name] - exact) < 2 for name, exact in arrived.items())


def _steps_end_nowhere(pools):
    """A pool serves only pools that come before it in the order of names."""
    return any(
        sum(share for taker, share in serves.items() if taker < name) == 1
        for name, (_, serves, _) in pools.items()
    )


@settings(max_examples=150, deadline=None)
@given(networks(), st.sampled_from(["direct", "step_down", "reciprocal"]))
def test_every_method_conserves_to_the_unit(pools, method):
    serving = [name for name, (_, serves, _) in pools.items() if serves]
    month = month_of(method, pools, order=sorted(serving))
    if method == "step_down" and _steps_end_nowhere(pools):
        with pytest.raises(AllocationError, match="can never reach a team"):
            allocate(month)
        return
    allocation = allocate(month)
    total = sum(cost for cost, _, _ in pools.values()) * law.UNIT
    assert sum(borne(month).values()) == total
    held = defaultdict(int)
    for line in allocation.cost + allocation.charge:
        held[line.account] += line.amount_nano
    assert not [nano for account, nano in held.items() if account.startswith("Pool:") and nano]
    for share in allocation.shares:
        if method == "reciprocal" and sum(pools[share.pool][1].values()) == 1:
            assert share.total_nano == 0  # what is used by pools alone leaves nothing behind


@settings(max_examples=50, deadline=None)
@given(networks(), st.randoms(use_true_random=False))
def test_the_order_of_pools_does_not_matter_under_reciprocal(pools, random):
    shuffled = list(pools.items())
    random.shuffle(shuffled)
    other = month_of("reciprocal", dict(shuffled), order=[name for name, _ in shuffled])
    assert pool_flows(other) == pool_flows(month_of("reciprocal", pools))
    assert borne(other) == borne(month_of("reciprocal", pools))


@settings(max_examples=50, deadline=None)
@given(networks(served=NONE))
def test_pools_that_serve_no_pool_are_the_same_under_every_method(pools):
    direct = allocate(month_of("direct", pools))
    assert allocate(month_of("reciprocal", pools)).lines == direct.lines
    assert allocate(month_of("step_down", pools)).lines == direct.lines


def test_a_reversed_order_gives_another_answer():
    for order in permutations(POOLS):
        there = borne(month_of("step_down", order=order))
        assert there != borne(month_of("step_down", order=order[::-1]))


def test_a_closed_circle_has_no_answer():
    pools = {
        "p": (10, percent(q=100), {"A": 1}),
        "q": (10, percent(p=100), {"A": 1}),
        "r": (10, percent(p=50), {"A": 1}),
    }
    assert closed_cycle({name: serves for name, (_, serves, _) in pools.items()}) == ["p", "q"]
    with pytest.raises(AllocationError, match="can never reach a team"):
        pool_flows(month_of("reciprocal", pools))
    with pytest.raises(AllocationError, match="can never reach a team"):
        pool_flows(month_of("step_down", pools, order=["p", "q", "r"]))


def served_example(column: str, method: str = "reciprocal") -> Month:
    """The worked example with a gateway that quality uses, and evaluation that gateway uses."""
    month = law.month(column)
    gateway, quality = month.policy.pools
    pools = (
        replace(gateway, serves=percent(quality=20)),
        replace(quality, serves=percent(gateway=10)),
    )
    policy = replace(
        month.policy, pools=pools, pool_method=method, pool_order=("gateway", "quality")
    )
    return replace(month, policy=policy)


@pytest.mark.parametrize("column", law.POLICIES)
@pytest.mark.parametrize("method", ["step_down", "reciprocal"])
def test_flows_are_cost_layer_and_ignore_the_model(column, method):
    allocation = allocate(served_example(column, method))
    assert allocation.cost == allocate(served_example("real_cost", method)).cost
    flows = [line for line in allocation.cost if line.group == "pools"]
    assert sum(line.amount_nano for line in flows) == 0
    assert {line.account for line in flows} == {"Pool:gateway", "Pool:quality"}
    held = defaultdict(int)
    for line in allocation.cost + allocation.charge:
        held[line.account] += line.amount_nano
    month = served_example(column, method)
    for share in allocation.shares:
        shown = [n for t, n in share.amounts_nano.items() if month.model_of(t) == "showback"]
        assert held[f"Pool:{share.pool}"] == sum(shown)


def test_pooled_evaluation_serves_and_is_served():
    # x_g = 150 + 10 % x_q and x_q = 100 + 20 % x_g: x_g = 160 / 0.98.
    flows = pool_flows(served_example("real_cost"))
    gross = Fraction(160 * law.UNIT * 100, 98)
    assert [(flow.giver, flow.taker) for flow in flows] == [
        ("gateway", "quality"),
        ("quality", "gateway"),
    ]
    assert abs(flows[0].amount_nano - gross * Fraction(20, 100)) < 1
    lines = allocate(served_example("real_cost")).charge
    evaluation = sum(n.amount_nano for n in lines if n.account.endswith(":evaluation"))
    left = (100 * law.UNIT + gross * Fraction(20, 100)) * Fraction(90, 100)
    assert abs(evaluation - left) < 2


def test_what_the_markup_stands_for_follows_the_flows():
    lines = allocate(served_example("real_cost")).charge
    shares = {share.pool: share for share in allocate(served_example("real_cost")).shares}
    absorbed = {
        line.team: line.amount_nano
        for line in lines
        if line.group == "absorb:gateway" and line.account == "Absorption:markup"
    }
    assert absorbed == shares["gateway"].amounts_nano
    assert sum(absorbed.values()) != 150 * law.UNIT
