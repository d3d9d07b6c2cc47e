from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallybook.errors import MoneyError
from tallybook.money import NANO_PER_CENT, cents_of_lines, cents_of_nano

nano_lists = st.lists(
    st.one_of(
        st.integers(-(10**16), 10**16),
        st.integers(-40, 40).map(lambda halves: halves * NANO_PER_CENT // 2),
    ),
    max_size=30,
)


def names(nanos: list[int]) -> list[str]:
    return [f"line-{place}" for place in range(len(nanos))]


def test_lines_add_up_to_the_printed_total() -> None:
    nanos = [3_333_333_333] * 3
    assert cents_of_nano(sum(nanos)) == 1000
    assert sorted(cents_of_lines(nanos, names(nanos), "S-2026-10-support v1")) == [333, 333, 334]


@given(nano_lists)
def test_lines_sum_to_the_rounded_sum(nanos: list[int]) -> None:
    assert sum(cents_of_lines(nanos, names(nanos), "s")) == cents_of_nano(sum(nanos))


@given(nano_lists)
def test_each_line_is_less_than_a_cent_from_its_amount(nanos: list[int]) -> None:
    for nano, cents in zip(nanos, cents_of_lines(nanos, names(nanos), "s"), strict=True):
        assert abs(cents * NANO_PER_CENT - nano) < NANO_PER_CENT


@given(nano_lists, st.data())
def test_the_order_of_lines_does_not_matter(nanos: list[int], data: st.DataObject) -> None:
    keys = names(nanos)
    order = data.draw(st.permutations(range(len(nanos))))
    straight = dict(zip(keys, cents_of_lines(nanos, keys, "s"), strict=True))
    mixed_keys = [keys[place] for place in order]
    mixed = cents_of_lines([nanos[place] for place in order], mixed_keys, "s")
    assert dict(zip(mixed_keys, mixed, strict=True)) == straight


@given(nano_lists.filter(sum))
def test_a_credit_note_mirrors_its_statement(nanos: list[int]) -> None:
    forth = cents_of_lines(nanos, names(nanos), "s")
    back = cents_of_lines([-nano for nano in nanos], names(nanos), "s")
    assert back == [-cents for cents in forth]


@pytest.mark.parametrize("salt", ["s", "t", "u", "v"])
def test_a_line_of_whole_cents_changes_no_other(salt: str) -> None:
    half = NANO_PER_CENT // 2
    alone = cents_of_lines([half, -half], ["a", "b"], salt)
    beside = cents_of_lines([half, -half, NANO_PER_CENT], ["a", "b", "c"], salt)
    assert beside == [*alone, 1]


@pytest.mark.parametrize("keys", [["a"], ["a", "a"]])
def test_keys_name_each_line_once(keys: list[str]) -> None:
    with pytest.raises(MoneyError, match="2 lines"):
        cents_of_lines([1, 2], keys, "s")
