"""The oracle's pools on the known example: by hand for two teams, in every order and at once."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations
from typing import Any

import pytest

from tallybook.sim.oracle.books import Books, read_books
from tallybook.sim.oracle.lines import Month
from tallybook.sim.oracle.pools import determinant, pool_flows, pool_shares, standing

ORG = """
company: {name: Acme, currency: USD, fiscal_year_start: 2026-01, timezone: UTC}
teams:
  - {id: A, headcount: 6}
  - {id: B, headcount: 2}
  - {id: gone, headcount: 9, to: 2026-10-20}
  - {id: platform}
unowned: {team: platform}
"""
POLICY = """
versions:
  - effective_from: 2026-01
    default: {{model: showback}}
    pools:
      - {{id: gateway, monthly: "1000", driver: fixed, weights: {{A: 40, B: 30}},
         serves: {{logging: 20%, governance: 10%}}}}
      - {{id: logging, monthly: "600", driver: fixed, weights: {{A: 50, B: 30}},
         serves: {{gateway: 10%, governance: 10%}}}}
      - {{id: governance, monthly: "400", driver: fixed, weights: {{A: 40, B: 20}},
         serves: {{gateway: 20%, logging: 20%}}}}
    {method}
"""
A_BY_ORDER = {
    ("gateway", "logging", "governance"): "1237.04",
    ("gateway", "governance", "logging"): "1228.12",
    ("logging", "gateway", "governance"): "1225.00",
    ("logging", "governance", "gateway"): "1201.43",
    ("governance", "gateway", "logging"): "1215.00",
    ("governance", "logging", "gateway"): "1198.10",
}


def month(method: str) -> Month:
    books = {"org": ORG, "policy": POLICY.format(method=method)}
    return Month(read_books(books, "2026-10"), (), {})


def borne(made: Month, team: str) -> str:
    pools = made.books.policy["pools"]
    amount = sum((pool_shares(made, pool)[team] for pool in pools), Fraction(0))
    return f"{float(amount):.2f}"


@pytest.mark.parametrize("order", list(permutations(("gateway", "logging", "governance"))))
def test_step_down_in_every_order(order: tuple[str, ...]) -> None:
    made = month(f"pool_method: step_down\n    pool_order: [{', '.join(order)}]")
    assert borne(made, "A") == A_BY_ORDER[order]
    assert sum(standing(made, pool) for pool in made.books.policy["pools"]) == 2000
    assert len(pool_flows(made)) == 3


def test_all_at_once_is_what_endless_rounds_give() -> None:
    made = month("pool_method: reciprocal")
    assert (borne(made, "A"), borne(made, "B")) == ("1219.70", "780.30")
    pools = {str(pool["id"]): pool for pool in made.books.policy["pools"]}
    left = {name: Fraction(pool["monthly"]) for name, pool in pools.items()}
    passed = dict.fromkeys(pool_flows(made), Fraction(0))
    for _ in range(60):
        onward = dict.fromkeys(left, Fraction(0))
        for giver, taker in passed:
            part = left[giver] * Fraction(pools[giver]["serves"][taker].rstrip("%")) / 100
            passed[giver, taker] += part
            onward[taker] += part
        left = onward
    for way, amount in pool_flows(made).items():
        assert abs(amount - passed[way]) < Fraction(1, 10**9)


def test_direct_pools_pass_nothing_on() -> None:
    made = month("pool_method: direct")
    assert pool_flows(made) == {}
    assert borne(made, "A") == f"{1000 * 4 / 7 + 600 * 5 / 8 + 400 * 4 / 6:.2f}"


def test_a_driver_without_a_base_gives_way_to_the_next() -> None:
    books = month("pool_method: direct").books
    quiet = {"id": "p", "monthly": "80", "driver": "calls", "fallback": ["cost", "headcount"]}
    made = Month(with_pools(books, quiet), (), {})
    assert pool_shares(made, quiet) == {"A": 60, "B": 20}
    assert pool_shares(made, {**quiet, "fallback": []}) == {}


def with_pools(books: Books, *pools: dict[str, Any]) -> Books:
    policy = {**books.policy, "pools": list(pools)}
    return Books(
        books.org, policy, books.prices, books.budgets, books.period, books.zone, books.start,
        books.end,
    )  # fmt: skip


def test_a_determinant() -> None:
    rows = [[2, 0, 1], [1, 3, 2], [1, 1, 4]]
    assert determinant([[Fraction(x) for x in row] for row in rows]) == 18
    assert determinant([]) == 1
