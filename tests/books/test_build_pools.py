"""Pools that serve pools, drivers and what stands in for them: what is read and what is refused."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallybook.books import parse, read_folder
from tallybook.books.build_pools import closed_cycle

A_B = (
    "pools:",
    '  - {id: a, monthly: 1, driver: calls, serves: {b: "12.5%"}}',
    '  - {id: b, monthly: 1, driver: calls, serves: {a: "20%"}}',
    "  - {id: c, monthly: 1, driver: calls}",
)
CIRCLE = (
    "pools:",
    '  - {id: a, monthly: 1, driver: calls, serves: {b: "100%"}}',
    '  - {id: b, monthly: 1, driver: calls, serves: {a: "60%", c: "40%"}}',
    '  - {id: c, monthly: 1, driver: calls, serves: {a: "100%"}}',
)


def version(folder, policy):
    return folder.books(policy=policy).policy.versions[0]


@pytest.mark.parametrize("method", ["direct", "step_down", "reciprocal"])
def test_one_word_changes_the_method(folder, policy_with, method):
    made = version(folder, policy_with(f"pool_method: {method}", "pool_order: [b, a]", *A_B))
    assert made.pool_method == method
    assert made.pool_order == ("b", "a")
    a, b, c = made.pools
    assert dict(a.serves) == {"b": Fraction(1, 8)}
    assert (a.for_teams, b.for_teams, c.for_teams) == (Fraction(7, 8), Fraction(4, 5), 1)


@pytest.mark.parametrize("written", ["cost", "[cost]"])
def test_a_fallback_is_one_driver_or_a_chain(folder, policy_with, written):
    line = f"pools: [{{id: a, monthly: 1, driver: calls, fallback: {written}}}]"
    (pool,) = version(folder, policy_with(line)).pools
    assert pool.drivers == ("calls", "cost")


def test_fixed_as_a_fallback_reads_the_weights(folder, policy_with):
    row = "{id: a, monthly: 1, driver: headcount, fallback: [fixed, equal], weights: {search: 2}}"
    (pool,) = version(folder, policy_with(f"pools: [{row}]")).pools
    assert pool.drivers == ("headcount", "fixed", "equal")
    assert dict(pool.weights) == {"search": 2}


def test_a_stored_document_says_the_same(folder, policy_with):
    documents = read_folder(
        folder.write(
            policy=policy_with(
                "pool_method: step_down",
                "pool_order: [a]",
                "pools:",
                '  - {id: a, monthly: 1, driver: calls, fallback: cost, serves: {b: "0.5%"}}',
                "  - {id: b, monthly: 1, driver: equal}",
            )
        )
    )
    books = parse(documents)
    assert books.policy.versions[0].pools[0].serves["b"] == Fraction(1, 200)
    assert parse(documents) == books


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ('serves: {b: "60%", c: "41%"}', "serves 101 % of itself to other pools"),
        ('serves: {a: "10%"}', 'pool "a" serves itself'),
        ('serves: {d: "10%"}', 'unknown pool "d"'),
        ('serves: {b: "0%"}', "a share of 0% has no effect"),
        ("serves: {b: 10}", "10 is not a percentage"),
        ("serves: {b: 0.1}", '"0.1" is not a percentage'),
        ("fallback: calls", "fallback calls is never reached after calls"),
        ("fallback: [equal, cost]", "fallback cost is never reached after calls, equal"),
        ("fallback: seats", '"seats" is not known'),
        ("fallback: fixed", "driver fixed has no weight above zero"),
        (
            "fallback: cost, weights: {search: 1}",
            "weights have no meaning under driver calls, cost",
        ),
    ],
)
def test_rows_that_are_refused(folder, policy_with, row, said):
    fault = folder.fault(
        policy=policy_with(
            "pools:",
            f"  - {{id: a, monthly: 1, driver: calls, {row}}}",
            "  - {id: b, monthly: 1, driver: calls}",
            "  - {id: c, monthly: 1, driver: calls}",
        )
    )
    assert said in fault
    assert fault.startswith("policy.yaml:5: versions 1, pools 1")


@pytest.mark.parametrize(
    ("order", "said"),
    [
        ("[]", "pool_order does not say when a, b is closed; expected each pool that serves"),
        ("[b]", "pool_order does not say when a is closed"),
        ("[a, b, a]", 'pool "a" stands twice'),
        ("[a, b, c]", 'pool "c" serves no other pool'),
        ("[a, b, gatway]", 'unknown pool "gatway"'),
    ],
)
def test_step_down_needs_every_pool_that_serves_once(folder, policy_with, order, said):
    policy = policy_with("pool_method: step_down", f"pool_order: {order}", *A_B)
    fault = folder.fault(policy=policy)
    assert said in fault
    assert fault.startswith("policy.yaml:5: ")


def test_an_order_that_nobody_reads_need_not_be_whole(folder, policy_with):
    policy = policy_with("pool_method: reciprocal", "pool_order: [b]", *A_B)
    assert version(folder, policy).pool_order == ("b",)


def test_a_closed_circle_is_refused_where_it_counts(folder, policy_with):
    fault = folder.fault(policy=policy_with("pool_method: reciprocal", *CIRCLE))
    assert fault.startswith(
        "policy.yaml:6: versions 1, pools 1, serves: a -> b -> a: these pools serve only each other"
    )
    assert "do: lower a share, so that teams use the rest" in fault
    assert version(folder, policy_with(*CIRCLE)).pool_method == "direct"
    opened = [line.replace("40%", "39%") for line in CIRCLE]
    made = version(folder, policy_with("pool_method: reciprocal", *opened))
    assert made.pools[1].for_teams == Fraction(1, 100)


def test_a_step_with_nobody_left_is_refused(folder, policy_with):
    policy = policy_with("pool_method: step_down", "pool_order: [a, c, b]", *CIRCLE)
    faults = folder.faults(policy=policy)
    assert [fault.split(";")[0] for fault in faults] == [
        'policy.yaml:5: versions 1, pool_order 2: pool "c" serves only a, closed before it',
        'policy.yaml:5: versions 1, pool_order 3: pool "b" serves only a, c, closed before it',
    ]
    assert "do: put c before a, or serve less" in faults[0]


@given(
    st.dictionaries(
        st.sampled_from("abcd"),
        st.dictionaries(st.sampled_from("abcd"), st.just(Fraction(1, 2)), max_size=2),
        min_size=4,
    )
)
def test_a_closed_cycle_is_a_circle_that_nothing_leaves(shares):
    whole = {
        pool: {taker: share for taker, share in takers.items() if taker != pool}
        for pool, takers in shares.items()
    }
    found = closed_cycle(whole)
    reached = {pool for pool, takers in whole.items() if sum(takers.values()) < 1}
    for _ in whole:
        reached |= {pool for pool, takers in whole.items() if takers.keys() & reached}
    assert bool(found) == (reached != whole.keys())
    for giver, taker in zip(found, [*found[1:], *found[:1]], strict=True):
        assert taker in whole[giver]
    assert not set(found) & reached
