"""Buckets add up, lose nothing when they are packed, and are cut the same in every way."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tallybook.live.bucket import (
    Sums,
    merged,
    packed,
    packed_step,
    packed_usuals,
    total,
    unpacked,
    unpacked_step,
    unpacked_usuals,
)
from tallybook.live.cut import Cut, Cuts, rows_of
from tallybook.live.model import HOUR_US, SLOT_US, Subject, Tally

SUBJECTS = st.builds(
    Subject,
    team=st.sampled_from("ab"),
    feature=st.sampled_from(["", "bot", 'a "quoted", \x00 one']),
    agent=st.sampled_from(["", "planner"]),
    allocated=st.booleans(),
)
FIGURES = st.lists(st.integers(-(2**80), 2**80), min_size=7, max_size=7)
BUCKETS = st.dictionaries(SUBJECTS, FIGURES, max_size=8)


@given(BUCKETS)
def test_packed_and_unpacked_is_the_same(bucket):
    assert unpacked(packed(bucket)) == bucket


@given(BUCKETS, BUCKETS)
def test_merged_adds_and_taken_off_again_is_nothing(one, other):
    both = merged({k: [*v] for k, v in one.items()}, other)
    assert total(both) == total(one).plus(total(other))
    back = merged(both, {k: [-x for x in v] for k, v in other.items()})
    assert {k: v for k, v in back.items() if any(v)} == {k: v for k, v in one.items() if any(v)}


@given(BUCKETS, st.integers(0, 3))
def test_every_cut_adds_up_to_the_total(bucket, most):
    cut = Cut.together([Cut.of(bucket), Cut.of({})])
    assert cut.total == total(bucket)
    rows = rows_of(cut.features, {}, most)
    assert not most or len(rows) <= most + 1
    sums = Tally()
    for row in rows:
        sums = sums.plus(row.month)
    assert sums == cut.total


def test_cuts_that_did_not_move_are_not_put_together_again():
    cuts, one = Cuts(), Cut.of({Subject("a", "", ""): [1] * 7})
    first = cuts.of([one])
    assert cuts.of([one]) is first
    assert cuts.of([Cut.of({Subject("a", "", ""): [1] * 7})]) is not first


@given(BUCKETS, BUCKETS)
def test_a_cut_moves_as_its_bucket_does(one, other):
    moved, made = Cut.of(one).plus(other), Cut.of(merged(dict(one), other))
    assert _spent(moved.features) == _spent(made.features)
    assert _spent(moved.agents) == _spent(made.agents)
    assert [*moved.unallocated] == [*made.unallocated]


def _spent(figures):
    return {who: [*held] for who, held in figures.items() if any(held)}


@given(BUCKETS, BUCKETS)
def test_a_step_packed_and_unpacked_is_the_same(one, other):
    step = {("month", 0): one, ("hour", HOUR_US): other}
    assert unpacked_step(packed_step(step)) == step


def test_a_call_is_in_its_slot_its_hour_and_its_month():
    sums, at = Sums(slots_us=0), 5 * HOUR_US + SLOT_US + 7
    sums.add(Subject("a", "bot", "planner"), at, (1, 2, 3, 0, 0, 0, 0))
    sums.add(Subject("a", "bot", "writer"), at + 1, (1, 2, 3, 0, 0, 0, 0))
    sums.add(Subject("a", "bot", "writer"), at + 1, (1, 2, 3, 0, 0, 0, 0), -1)
    found = dict(sums.buckets().items())
    assert set(found) == {("month", 0), ("hour", 5 * HOUR_US), ("slot", at - 7)}
    assert list(found["hour", 5 * HOUR_US]) == [Subject("a", "bot", "")]
    assert all(total(one).calls == 1 for one in found.values())
    old = Sums(slots_us=at + SLOT_US)
    old.add(Subject("a", "bot", ""), at, (1, 2, 3, 0, 0, 0, 0))
    assert ("slot", at - 7) not in dict(old.buckets().items())


def test_usuals_are_kept():
    usuals = {("a", "bot"): (100, 3), ("b", ""): (1, 1)}
    assert unpacked_usuals(packed_usuals(usuals)) == usuals
