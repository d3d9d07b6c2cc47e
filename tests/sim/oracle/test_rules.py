"""The rules of the oracle, one by one, on figures that can be checked in the head."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction

import pytest

from tallybook.sim.oracle import agrees, expect
from tallybook.sim.oracle.books import Books, instant, read_books, terms
from tallybook.sim.oracle.ledger import Posting, balances, parts
from tallybook.sim.oracle.owner import owner_of
from tallybook.sim.oracle.pools import spread
from tallybook.sim.oracle.price import Cost, cost_of, glob_matches
from tallybook.sim.oracle.usage import quantities, state, take_in

ORG = """
company: {timezone: Asia/Kolkata}
teams: [{id: a}, {id: b}, {id: old, to: 2026-10-02}, {id: p}]
features:
  - {id: f, team: a, to: 2026-10-15}
  - {id: f, team: b, from: 2026-10-15}
  - {id: g, team: a}
services: [{id: s, team: b}]
keys: [{id: k, feature: g, purpose: batch}]
rules: [{when: {endpoint: "/x*"}, team: a, purpose: internal, from: 2026-10-10}]
unowned: {team: p}
"""
POLICY = """
versions:
  - effective_from: 2026-01
    default: {model: real_cost, markup: "15%"}
    teams: {a: {model: real_cost}, b: {model: showback}}
"""
PRICES = """
contracts:
  - {contract: 1, provider: X, discount: "50%"}
  - {contract: 2, provider: X, model: m, per_million_tokens: {output: "2"}, to: 2026-10-05,
     long_context: {over: 10, per_million_tokens: {output: "3"}}}
  - {contract: 3, provider: X, model: "m*", per_unit: {search: "0.5"}, tier: all, from: 2026-10-04}
"""
LISTS = {("X", "m"): {"input_uncached": "0.000003", "search": "9"}, ("X", "z"): {"output": "8"}}


def files() -> Books:
    return read_books({"org": ORG, "policy": POLICY, "prices": PRICES}, "2026-10")


def event(**changes: object) -> dict[str, object]:
    plain = {"event_id": "1", "source": "s", "started_at": "2026-10-03T00:00:00Z"}
    return {**plain, "provider": "X", "model": "m", "tokens": {"output": 1}, **changes}


def owner(**carries: object) -> tuple[str, str, str, str, bool]:
    found = owner_of(files(), event(**carries))
    return found.team, found.feature, found.purpose, found.executor, found.named


def test_a_month_is_bounded_in_the_zone_of_the_company() -> None:
    found = files()
    assert found.start == datetime(2026, 9, 30, 18, 30, tzinfo=UTC)
    assert found.end == datetime(2026, 10, 31, 18, 30, tzinfo=UTC)
    assert instant("2026-10-01T00:00:00.1234569+02:00").isoformat() == (
        "2026-09-30T22:00:00.123456+00:00"
    )


def test_terms_left_out_come_from_a_default_of_the_same_model() -> None:
    assert terms(files(), "a")["markup"] == "15%"
    assert "markup" not in terms(files(), "b")


@pytest.mark.parametrize(
    ("carries", "expected"),
    [
        ({}, ("p", "", "untagged", "", False)),
        ({"team": "a"}, ("a", "", "untagged", "", True)),
        ({"team": "b", "feature": "f"}, ("a", "f", "untagged", "", True)),
        ({"feature": "f", "started_at": "2026-10-14T18:30:00Z"}, ("b", "f", "untagged", "", True)),
        ({"team": "old"}, ("p", "", "untagged", "", False)),
        ({"team": "old", "service": "s"}, ("b", "", "untagged", "", True)),
        ({"team": "a", "service": "s"}, ("a", "", "untagged", "b", True)),
        ({"team": "a", "key_id": "k"}, ("a", "g", "batch", "", True)),
        ({"team": "b", "key_id": "k"}, ("b", "", "batch", "", True)),
        ({"endpoint": "/xy"}, ("p", "", "untagged", "", False)),
        (
            {"endpoint": "/xy", "key_id": "k", "started_at": "2026-10-10T00:00:00Z"},
            ("a", "g", "internal", "", True),
        ),
    ],
)
def test_an_owner_is_found(
    carries: dict[str, object], expected: tuple[str, str, str, str, bool]
) -> None:
    assert owner(**carries) == expected


@pytest.mark.parametrize(
    ("changes", "contract_pico"),
    [
        ({"tokens": {"output": 1}}, 2_000_000),
        ({"tokens": {"output": 1, "cache_read": 0, "reasoning": 7}}, 2_000_000),
        ({"tokens": {"output": 1, "input_uncached": 10}}, 2_000_000 + 30),
        ({"tokens": {"output": 1, "input_uncached": 11}}, 3_000_000 + 33),
        ({"model": "z"}, 4_000_000),
        ({"tokens": {"cache_read": 1}}, None),
        ({"tokens": {"output": 1}, "tier": "batch"}, None),
        ({"units": {"search": 2}, "tokens": {}, "started_at": "2026-10-06T00:00:00Z"}, 10**12),
        ({"provider": "Q", "tokens": {}}, None),
    ],
)
def test_a_call_costs(changes: dict[str, object], contract_pico: int | None) -> None:
    cost = cost_of(files(), LISTS, event(**changes))
    assert cost.unpriced is (contract_pico is None)
    assert cost.contract == Fraction(contract_pico or 0, 10**12)


def test_a_discounted_price_is_rounded_once_half_even() -> None:
    lists = {("X", "odd"): {"output": "0.000003"}, ("X", "even"): {"output": "0.000005"}}
    for model, pico in (("odd", 2), ("even", 2)):
        cost = cost_of(files(), lists, event(model=model, tokens={"output": 1000}))
        assert cost == Cost(Fraction(pico * 1000, 10**12), Fraction(pico * 1000, 10**12), False)


def test_globs() -> None:
    assert glob_matches("a?c*", "abc")
    assert not glob_matches("a.c", "abc")
    assert not glob_matches("A*", "abc")


def test_the_first_record_wins_and_corrections_net() -> None:
    one, other = event(), event(latency_ms=1)
    net = event(event_id="2", supersedes="1")
    twice = event(event_id="3", supersedes="1")
    circle = event(event_id="1b", supersedes="2b"), event(event_id="2b", supersedes="1b")
    found = take_in([net, one, other, {**one, "user": "u"}, twice, *circle])
    assert (found.accepted, found.duplicate, found.quarantined) == (3, 1, 3)
    assert [x["event_id"] for x in found.standing] == ["2", "1b"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "reported"),
        ({"usage": "estimated"}, "estimated"),
        ({"tokens": {}}, "unknown"),
        ({"tokens": {}, "status": "error"}, "reported"),
        ({"tokens": {"output": None, "cache_read": 1}}, "unknown"),
    ],
)
def test_what_is_not_known_is_not_zero(changes: dict[str, object], expected: str) -> None:
    assert state(event(**changes)) == expected


def test_reasoning_and_zeros_are_not_used() -> None:
    used = {"output": 3, "reasoning": 2, "cache_read": 0, "cache_write": None}
    assert quantities(event(tokens=used, units={"w": 1})) == {"output": 3, "w": 1}


@pytest.mark.parametrize(
    ("total", "weights", "floor", "expected"),
    [
        (30, (1, 2, 0), 0, (10, 20, 0)),
        (10, (1, 99), 4, (4, 6)),
        (100, (1, 9, 90), 10, (10, 10, 80)),
        (100, (10, 45, 45), 40, (Fraction(100, 3),) * 3),
        (100, (6, 24, 70), 25, (25, 25, 50)),
        (12, (0, 0), 3, (0, 0)),
    ],
)
def test_a_pool_is_spread(
    total: int, weights: tuple[int, ...], floor: int, expected: tuple[int, ...]
) -> None:
    named = {str(n): Fraction(weight) for n, weight in enumerate(weights)}
    shares = spread(Fraction(total), named, Fraction(floor))
    assert tuple(shares.get(name, 0) for name in named) == expected


def test_a_balance_is_exact_or_strictly_within_its_parts() -> None:
    assert agrees(Fraction(5, 10**9), 5, 0)
    assert not agrees(Fraction(5, 10**9), 6, 0)
    assert agrees(Fraction(19, 10**10), 1, 1)
    assert not agrees(Fraction(20, 10**10), 1, 1)


def test_parts_count_cells_with_their_base_and_none_where_all_is_whole() -> None:
    third = Fraction(1, 3)
    posted = [
        Posting("meter", "Cost:X", third, ("a",)),
        Posting("meter", "Cost:X", third, ("b",)),
        Posting("meter", "Accrued:X", -2 * third),
        Posting("share", "Charge:a:pool", Fraction(1), ("a",), "meter"),
        Posting("pool", "Pool:g", Fraction(2)),
    ]
    assert balances(posted)["Cost:X"] == 2 * third
    assert parts(posted) == {"Cost:X": 2, "Accrued:X": 4, "Charge:a:pool": 4, "Pool:g": 0}


def test_no_cost_is_fair() -> None:
    assert expect.unfairness([], Fraction(0), Fraction(0)) == 0
