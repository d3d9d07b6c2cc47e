from __future__ import annotations

import time
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallybook.errors import MoneyError
from tallybook.money import Targets, apportion

totals = st.integers(-(10**18), 10**18)
whole_weights = st.lists(
    st.one_of(st.integers(0, 4), st.integers(0, 10**15)), min_size=1, max_size=30
).filter(any)
fraction_weights = st.lists(
    st.fractions(min_value=0, max_value=50, max_denominator=60), min_size=1, max_size=12
).filter(any)
some_weights = st.one_of(whole_weights, fraction_weights)
floors = st.integers(0, 10**6)


def names(weights: list[int] | list[Fraction]) -> list[str]:
    return [f"team-{place}" for place in range(len(weights))]


@given(totals, some_weights)
def test_inv_10_the_parts_sum_to_the_whole(total: int, weights: list[int]) -> None:
    assert sum(apportion(total, weights, names(weights), "s")) == total


@given(totals, some_weights)
def test_inv_10_a_zero_weight_gets_zero(total: int, weights: list[int]) -> None:
    parts = apportion(total, weights, names(weights), "s")
    assert all(part == 0 for part, weight in zip(parts, weights, strict=True) if weight == 0)


@given(totals, some_weights)
def test_inv_10_each_part_is_less_than_one_unit_from_its_share(
    total: int, weights: list[int]
) -> None:
    base = sum(weights)
    for part, weight in zip(apportion(total, weights, names(weights), "s"), weights, strict=True):
        assert abs(part - Fraction(total) * weight / base) < 1


@given(st.lists(totals, max_size=4), some_weights, floors)
def test_targets_share_each_whole_as_if_it_were_the_only_one(
    wholes: list[int], weights: list[int], floor: int
) -> None:
    keys = names(weights)
    targets = Targets(weights, keys)
    for total in wholes:
        assert targets.parts(total, "s", floor) == apportion(total, weights, keys, "s", floor)


def test_targets_are_refused_before_there_is_a_whole() -> None:
    with pytest.raises(MoneyError, match="2 weights for 1 keys"):
        Targets([1, 2], ["a"])
    with pytest.raises(MoneyError, match="empty base"):
        Targets([0], ["a"]).parts(1, "s")


@given(totals, some_weights, floors)
def test_inv_10_negation(total: int, weights: list[int], floor: int) -> None:
    keys = names(weights)
    forth = apportion(total, weights, keys, "s", floor)
    assert apportion(-total, weights, keys, "s", floor) == [-part for part in forth]


@given(totals, some_weights, floors, st.data())
def test_inv_10_the_order_of_targets_does_not_matter(
    total: int, weights: list[int], floor: int, data: st.DataObject
) -> None:
    keys = names(weights)
    order = data.draw(st.permutations(range(len(weights))))
    straight = dict(zip(keys, apportion(total, weights, keys, "s", floor), strict=True))
    mixed_keys = [keys[place] for place in order]
    mixed = apportion(total, [weights[place] for place in order], mixed_keys, "s", floor)
    assert dict(zip(mixed_keys, mixed, strict=True)) == straight


@given(totals, some_weights, floors, st.data())
def test_inv_10_a_target_of_zero_weight_changes_nothing(
    total: int, weights: list[int], floor: int, data: st.DataObject
) -> None:
    keys = names(weights)
    place = data.draw(st.integers(0, len(weights)))
    more = apportion(
        total,
        [*weights[:place], 0, *weights[place:]],
        [*keys[:place], "newcomer", *keys[place:]],
        "s",
        floor,
    )
    assert more.pop(place) == 0
    assert more == apportion(total, weights, keys, "s", floor)


@given(totals, whole_weights, st.integers(1, 1000))
def test_only_proportions_count(total: int, weights: list[int], factor: int) -> None:
    keys = names(weights)
    parts = apportion(total, weights, keys, "s")
    assert apportion(total, [weight * factor for weight in weights], keys, "s") == parts
    assert apportion(total, [Fraction(weight, factor) for weight in weights], keys, "s") == parts


def test_ties_follow_the_salt_and_the_key() -> None:
    winners = {
        apportion(1, [1, 1, 1], ["a", "b", "c"], f"gateway 2026-{month:02}").index(1)
        for month in range(1, 13)
    }
    assert winners == {0, 1, 2}
    first = apportion(1, [1, 1, 1], ["a", "b", "c"], "gateway 2026-10")
    assert first == apportion(1, [1, 1, 1], ["a", "b", "c"], "gateway 2026-10")
    assert first == [1, 0, 0]  # frozen: a change of the tie-break changes published statements


def test_two_share_as_they_do_beside_a_third_of_no_weight() -> None:
    for total in (1, 2, 3, -5, 10**18 + 1):
        for weights in ([1, 1], [1, 3], [3, 1], [2, 5], [0, 1], [Fraction(1, 2), Fraction(1, 2)]):
            for salt in map(str, range(20)):
                third = apportion(total, [*weights, 0], ["a", "b", "c"], salt)
                assert apportion(total, weights, ["a", "b"], salt) == third[:2]
    firsts = {apportion(1, [1, 1], ["a", "b"], str(salt))[0] for salt in range(20)}
    assert firsts == {0, 1}  # a tie favours nobody


def test_a_long_salt_counts_to_its_end() -> None:
    parts = {
        tuple(apportion(5, [1] * 10, list("abcdefghij"), "x" * 100 + str(last)))
        for last in range(10)
    }
    assert len(parts) > 1


@given(st.integers(0, 10**9), whole_weights, floors)
def test_a_floor_is_the_water_filling(total: int, weights: list[int], floor: int) -> None:
    """Against the definition: max(floor, lambda x weight), lambda found by repeated rescaling."""
    parts = apportion(total, weights, names(weights), "s", floor)
    assert sum(parts) == total
    live = {place: Fraction(weight) for place, weight in enumerate(weights) if weight}
    if len(live) * floor > total:
        shares = dict.fromkeys(live, Fraction(total, len(live)))
    else:
        floored: set[int] = set()
        while True:
            rest = {place: weight for place, weight in live.items() if place not in floored}
            factor = (total - floor * len(floored)) / sum(rest.values())
            low = {place for place, weight in rest.items() if factor * weight < floor}
            if not low:
                break
            floored |= low
        shares = {
            place: Fraction(floor) if place in floored else factor * weight
            for place, weight in live.items()
        }
        assert all(parts[place] >= floor for place in live)
    for place, part in enumerate(parts):
        assert abs(part - shares.get(place, 0)) < 1


def test_floors_by_example() -> None:
    keys = ["a", "b", "c", "idle"]
    assert apportion(1000, [98, 1, 1, 0], keys, "s", floor=50) == [900, 50, 50, 0]
    assert apportion(-1000, [98, 1, 1, 0], keys, "s", floor=50) == [-900, -50, -50, 0]
    assert apportion(90, [98, 1, 1, 0], keys, "s", floor=50) == [30, 30, 30, 0]
    assert apportion(0, [98, 1, 1, 0], keys, "s", floor=50) == [0, 0, 0, 0]


@pytest.mark.parametrize("weights", [[], [0], [0, 0], [Fraction(0)]])
@pytest.mark.parametrize("total", [0, 27_00])
def test_an_empty_base_is_refused_so_that_money_cannot_vanish(
    weights: list[int], total: int
) -> None:
    with pytest.raises(MoneyError, match=f"empty base.*{total}"):
        apportion(total, weights, names(weights), "s")


@pytest.mark.parametrize(
    ("total", "weights", "keys", "floor", "what"),
    [
        (10, [1, -1], ["a", "b"], 0, "weight -1 is negative"),
        (10, [Fraction(-1, 3), 1], ["a", "b"], 0, "weight -1/3 is negative"),
        (10, [0.5, 0.5], ["a", "b"], 0, "got float"),
        (10, [True, 1], ["a", "b"], 0, "got bool"),
        (10.0, [1, 1], ["a", "b"], 0, "must be integers"),
        (10, [1, 1], ["a", "b"], -1, "must be integers"),
        (10, [1, 1], ["a", "b"], 0.5, "must be integers"),
        (10, [1, 1], ["a"], 0, "2 weights for 1 keys"),
        (10, [1, 1], ["a", "a"], 0, "2 targets have only 1 distinct keys"),
    ],
)
def test_what_cannot_be_split_is_refused(
    total: int, weights: list[int], keys: list[str], floor: int, what: str
) -> None:
    with pytest.raises(MoneyError, match=what):
        apportion(total, weights, keys, "s", floor)


@pytest.mark.parametrize("step", [0, 7919])
def test_a_million_targets_take_under_five_seconds(step: int) -> None:
    count = 1_000_000
    weights = [1 + place * step % 99_991 for place in range(count)]
    keys = [str(place) for place in range(count)]
    started = time.process_time()
    parts = apportion(10**15 + 499_999, weights, keys, "gateway 2026-10")
    assert time.process_time() - started < 5
    assert sum(parts) == 10**15 + 499_999


@pytest.mark.parametrize(
    ("salt", "parts"),
    [
        ("gateway:2026-10", [1, 0, 0, 1, 0]),
        ("logs:2026-10", [0, 0, 0, 1, 1]),
        ("quality:2026-11", [0, 0, 1, 0, 1]),
        ("\u00e9:2026-12", [1, 1, 0, 0, 0]),
    ],
)
def test_ties_fall_as_they_always_did(salt, parts):
    """What was posted is posted again only if every release breaks a tie in the same way."""
    assert apportion(2, [1] * 5, list("abcde"), salt) == parts
