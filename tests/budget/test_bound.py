"""What is held for a call: never less than a stated bound, and no model's maximum without need."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallybook.budget.bound import Size, Usual, bound_nano, estimate

PRICES = {"input_uncached": 2_500_000, "cache_read": 1_250_000, "output": 10_000_000}
WRITES = {**PRICES, "cache_write_5m": 3_125_000, "cache_write_1h": 5_000_000}
NANO = 10**9


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))
def test_no_answer_within_the_bound_costs_more(size, output, tokens, answered):
    tokens, answered = min(tokens, size), min(answered, output)
    bound = bound_nano(PRICES, Size(size, output, is_stated=True))
    assert 2_500_000 * tokens + 10_000_000 * answered <= bound * 1000


def test_input_that_is_cached_is_bounded_at_the_price_of_writing_it():
    assert bound_nano(WRITES, Size(100, 0, is_stated=True)) == 250_000
    assert bound_nano(WRITES, Size(100, 0, is_stated=True, caches=True)) == 500_000


@pytest.mark.parametrize(
    ("prices", "size"),
    [(PRICES, Size(None, 10, is_stated=True)), ({"image": 40 * 10**9}, Size(1, 1, is_stated=True))],
)
def test_what_nothing_bounds_has_no_bound(prices, size):
    assert bound_nano(prices, size) is None


def test_pictures_that_a_model_may_answer_with_are_bounded_at_their_price():
    """Whether an answer has pictures is the model's to say, and they cost ten times its text."""
    prices = {**PRICES, "image_output": 30_000_000}
    assert bound_nano(prices, Size(0, 10, is_stated=True)) == 300_000


def test_a_fee_per_request_is_in_the_bound():
    assert bound_nano({**PRICES, "request": 5_000_000}, Size(0, 0, is_stated=True)) == 5_000


def test_a_stated_bound_is_what_is_held():
    made = estimate(900, 5, is_stated=True, least_limit_nano=NANO)
    assert (made.need_nano, made.hold_nano) == (900, 900)


def test_without_a_stated_bound_the_usual_is_held_while_a_share_is_free():
    made = estimate(900_000_000, 5, is_stated=False, least_limit_nano=NANO)
    assert (made.need_nano, made.hold_nano) == (NANO // 16, 5)
    first = estimate(900_000_000, None, is_stated=False, least_limit_nano=NANO)
    assert first.hold_nano == NANO // 16
    assert estimate(7, 50, is_stated=False, least_limit_nano=NANO).hold_nano == 7
    assert estimate(None, None, is_stated=False, least_limit_nano=3).need_nano == 1


@given(st.lists(st.integers(1, 10**15), min_size=20, max_size=300))
def test_the_usual_is_no_less_than_98_of_100_and_not_much_more_than_the_largest(costs):
    usual = Usual()
    for nano in costs[:-1]:
        usual.note("f", "m", nano)
    usual._seen["f", "m"].since = 16
    usual.note("f", "m", costs[-1])
    found = usual.of("f", "m")
    assert sum(nano > found for nano in costs) * 50 <= len(costs)
    assert found <= 2 * max(*costs, 4)
    assert usual.of("f", "other") is None


def test_a_few_calls_are_no_habit():
    usual = Usual()
    for _ in range(19):
        usual.note("f", "m", 100)
    assert usual.of("f", "m") is None
    usual.note("f", "m", 100)
    assert 100 <= usual.of("f", "m") <= 160


def test_what_was_long_ago_counts_less():
    usual = Usual()
    for _ in range(1_000):
        usual.note("f", "m", 1_000_000)
    for _ in range(60_000):
        usual.note("f", "m", 10)
    assert usual.of("f", "m") < 100
