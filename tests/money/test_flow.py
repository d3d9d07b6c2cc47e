from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallybook.errors import MoneyError
from tallybook.money import whole_flow

PLACES = ["a", "b", "c", "d", ""]


def gains(flow):
    """What enters each place minus what leaves it."""
    return {
        place: sum(n for (_, end), n in flow.items() if end == place)
        - sum(n for (start, _), n in flow.items() if start == place)
        for place in PLACES
    }


@st.composite
def circulations(draw):
    """Circles of fractional amounts on top of whole ones: every place gains a whole number."""
    flow = {}
    for _ in range(draw(st.integers(1, 8))):
        walk = draw(st.lists(st.sampled_from(PLACES), min_size=2, max_size=5, unique=True))
        amount = Fraction(draw(st.integers(0, 10**6)), draw(st.integers(1, 97)))
        for edge in zip(walk, [*walk[1:], walk[0]], strict=True):
            flow[edge] = flow.get(edge, Fraction(0)) + amount
    for edge in draw(st.sets(st.tuples(st.sampled_from(PLACES), st.sampled_from(PLACES)))):
        if edge[0] != edge[1]:
            flow[edge] = flow.get(edge, Fraction(0)) + draw(st.integers(-5, 5))
    return flow


@given(circulations())
def test_every_place_keeps_its_balance_and_no_amount_moves_by_a_unit(flow):
    whole = whole_flow(flow)
    assert all(type(nano) is int for nano in whole.values())
    assert gains(whole) == gains(flow)
    assert whole.keys() == flow.keys()
    assert all(abs(whole[edge] - exact) < 1 for edge, exact in flow.items())


@given(circulations(), st.randoms(use_true_random=False))
def test_the_order_does_not_matter(flow, random):
    shuffled = list(flow.items())
    random.shuffle(shuffled)
    assert whole_flow(dict(shuffled)) == whole_flow(flow)


def test_whole_amounts_stay_and_a_pair_moves_together():
    assert whole_flow({("a", ""): Fraction(7)}) == {("a", ""): 7}
    back = {("a", "b"): Fraction(10, 3), ("b", "a"): Fraction(1, 3), ("a", ""): Fraction(5)}
    assert whole_flow(back) == {("a", "b"): 3, ("b", "a"): 0, ("a", ""): 5}
    assert whole_flow({}) == {}


def test_the_shorter_move_comes_first_and_up_when_both_are_as_long():
    near_above = {("a", "b"): Fraction(5, 3), ("b", "a"): Fraction(2, 3)}
    assert whole_flow(near_above) == {("a", "b"): 2, ("b", "a"): 1}
    half = {("a", "b"): Fraction(1, 2), ("b", "a"): Fraction(1, 2)}
    assert whole_flow(half) == {("a", "b"): 1, ("b", "a"): 1}


def test_amounts_against_the_walk_move_the_other_way():
    # From a to c directly, and by way of b; a fourth place takes what one of them lacks.
    flow = {
        ("a", "b"): Fraction(1, 2),
        ("b", "c"): Fraction(3, 10),
        ("a", "c"): Fraction(1, 10),
        ("b", "d"): Fraction(1, 5),
        ("c", "d"): Fraction(2, 5),
        ("d", "a"): Fraction(3, 5),
    }
    assert gains_at_d(whole_flow(flow)) == gains_at_d(flow) == 0
    assert whole_flow(flow) == {
        ("a", "b"): 1,
        ("b", "c"): 1,
        ("a", "c"): 0,
        ("b", "d"): 0,
        ("c", "d"): 1,
        ("d", "a"): 1,
    }


def test_each_pair_of_places_goes_to_its_nearer_neighbour():
    low, high = Fraction(2, 5), Fraction(4, 5)
    pairs = {("d", "b"): low, ("b", "d"): low, ("d", "c"): high, ("c", "d"): high}
    assert whole_flow(pairs) == {("d", "b"): 0, ("b", "d"): 0, ("d", "c"): 1, ("c", "d"): 1}


def gains_at_d(flow):
    return flow["b", "d"] + flow["c", "d"] - flow["d", "a"]


def test_a_part_of_a_unit_that_is_nowhere_is_refused():
    with pytest.raises(MoneyError, match="no whole number"):
        whole_flow({("a", "b"): Fraction(1, 2)})
