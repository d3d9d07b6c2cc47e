"""Origin, executor, payer, prices and joint cost, on traces that can be followed with a finger."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from tallybook.sim.oracle import Expectation, expected
from tallybook.sim.oracle.books import read_books
from tallybook.sim.oracle.divide import apportioned
from tallybook.sim.oracle.owner import owner_of
from tallybook.sim.oracle.payer import Part

Event = dict[str, Any]
ORG = """
company: {timezone: UTC}
teams: [{id: A}, {id: B}, {id: C}, {id: P}]
features: [{id: fa, team: A}, {id: fb, team: B}, {id: fc, team: C}]
services:
  - {id: low, team: B, transfer: %s}
  - {id: high, team: C, transfer: %s}
  - {id: mine, team: A, transfer: callee_absorbs}
  - {id: index, team: B, joint: {purposes: [batch], users_of: low, by: %s}}
keys:
  - {id: own, team: B, claims: own}
  - {id: some, feature: fb, claims: [A]}
  - {id: any, team: B}
unowned: {team: P}
%s
"""
POLICY = """
versions:
  - effective_from: 2026-01
    default: {model: real_cost, markup: "0%"}
    teams: {C: {model: real_cost}}
    pools: []
"""
PRICES = "contracts: [{contract: 1, provider: X, per_million_tokens: {output: '1000000'}}]"
SPLIT = "split, weights: {callee: 1, caller: 3}, feature: fb"
PRICE = 'transfer_price, price: "6.00", per: %s'


def step(name: str, parent: str = "", **more: str) -> Event:
    place = {"trace_id": "t", "span_id": name} | ({"parent_span_id": parent} if parent else {})
    at = "2026-10-03T00:00:00Z"
    return {"event_id": name, "source": "otel", "role": "step", "started_at": at, **place, **more}


def call(name: str, parent: str = "", **more: object) -> Event:
    made = {**step(name, parent), "provider": "X", "model": "m", "tokens": {"output": 12}, **more}
    return {key: value for key, value in made.items() if key != "role"}


def lived(
    *events: Event, low: str = "caller_pays", high: str = "caller_pays", by: str = "calls"
) -> Expectation:
    books = {"org": ORG % (low, high, by, ""), "policy": POLICY, "prices": PRICES}
    return expected(books, {}, events, {}, "2026-10")


def charges(found: Expectation) -> dict[str, int]:
    book = {key: x for key, x in found.balances.items() if key.startswith(("Charge", "Absorp"))}
    assert all(amount.denominator == 1 for amount in book.values())
    return {key.removeprefix("Charge:"): int(x) for key, x in book.items()}


CHAIN = [step("1", feature="fa"), step("2", "1", service="high"), call("3", "2", service="low")]


@pytest.mark.parametrize(
    ("low", "high", "paid"),
    [
        ("caller_pays", "caller_pays", {"A:transfer": 12}),
        ("callee_absorbs", "caller_pays", {"B:usage": 12}),
        ("caller_pays", "callee_absorbs", {"C:transfer": 12}),
        (SPLIT, "caller_pays", {"B:usage": 3, "A:transfer": 9}),
        (SPLIT, "split, weights: {callee: 2, caller: 1}", {"B:usage": 3, "C:transfer": 6,
         "A:transfer": 3}),
        (PRICE % "call", "caller_pays", {"B:usage": 12, "A:transfer": 6, "B:transfer": -6}),
        (PRICE % "call", "callee_absorbs", {"B:usage": 12, "C:transfer": 6, "B:transfer": -6}),
        (PRICE % "call", PRICE % "call", {"B:usage": 12, "B:transfer": -6, "A:transfer": 6}),
        (PRICE % "call", "split, weights: {callee: 1, caller: 2}", {"B:usage": 12, "C:transfer": 2,
         "A:transfer": 4, "B:transfer": -6}),
    ],
)  # fmt: skip
def test_each_boundary_asks_its_rule(low: str, high: str, paid: dict[str, int]) -> None:
    found = lived(*CHAIN, low=low, high=high)
    assert charges(found) == paid
    assert {name: [*cut] for name, cut in found.cuts.items()} == {
        "origin": ["A"],
        "executor": ["B"],
        "payer": sorted({key.split(":")[0] for key, x in paid.items() if x > 0 or "us" in key}
                        - ({"A", "C"} if "price" in low else set())),
    }  # fmt: skip


def test_a_price_is_owed_once_for_an_invocation_and_for_outcomes_without_error() -> None:
    calls = [call(f"{n}", "4", service="low") for n in (5, 6)]
    agent = step("4", "1", service="low")
    paid = {"B:usage": 24, "A:transfer": 6, "B:transfer": -6}
    assert charges(lived(CHAIN[0], agent, *calls, low=PRICE % "call")) == paid
    failed = {**agent, "status": "error"}
    assert charges(lived(CHAIN[0], failed, *calls, low=PRICE % "outcome")) == {"B:usage": 24}
    assert charges(lived(CHAIN[0], agent, low=PRICE % "call")) == {
        "A:transfer": 6,
        "B:transfer": -6,
    }


def test_within_one_team_nothing_is_transferred() -> None:
    assert charges(lived(CHAIN[0], call("2", "1", service="mine"))) == {"A:usage": 12}


def test_the_outermost_named_node_is_the_origin_and_may_leave_the_purpose_to_others() -> None:
    nodes = [step("1", service="high"), step("2", "1", feature="fb"), step("3", "2", team="C"),
             call("4", "3", feature="fa", purpose="batch")]  # fmt: skip
    assert charges(lived(*nodes)) == {"B:transfer": 12}
    assert charges(lived(*nodes[:1], {**nodes[3], "feature": "", "parent_span_id": "1"})) == {
        "C:usage": 12
    }
    assert lived({**nodes[3], "feature": ""}).unallocated == 1


@pytest.mark.parametrize(
    ("carries", "team"),
    [
        ({"key_id": "any", "feature": "fa"}, "A"),
        ({"key_id": "own", "feature": "fa"}, "B"),
        ({"key_id": "own", "team": "B"}, "B"),
        ({"key_id": "own", "team": "nobody"}, "B"),
        ({"key_id": "some", "feature": "fa"}, "A"),
        ({"key_id": "some", "feature": "fc", "team": "A"}, "B"),
        ({"key_id": "no such key", "feature": "fc"}, "C"),
    ],
)
def test_a_key_speaks_for_whom_it_may(carries: dict[str, str], team: str) -> None:
    texts = {"org": ORG % ("caller_pays", "caller_pays", "calls", ""), "policy": POLICY}
    assert owner_of(read_books(texts, "2026-10"), call("1", **carries)).team == team


def test_tags_of_a_source_that_is_not_trusted_say_nothing() -> None:
    trust = "trust: {tags: [gateway]}"
    books = {"org": ORG % ("caller_pays", "caller_pays", "calls", trust), "policy": POLICY,
             "prices": PRICES}  # fmt: skip
    named = [call("1", feature="fa"), call("2", feature="fa", source="gateway")]
    found = expected(books, {}, named, {}, "2026-10")
    assert charges(found) == {"A:usage": 12}
    assert found.unallocated == 1


def test_whole_numbers_are_divided_into_whole_numbers() -> None:
    thirds = [Part(team, "", Fraction(1, 3)) for team in "ABC"]
    parts = apportioned(10, thirds, ["salt"])
    assert sorted(parts) == [3, 3, 4]
    assert {tuple(apportioned(10, thirds, [str(n)])) for n in range(20)} > {tuple(parts)}
