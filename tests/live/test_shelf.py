"""The shelf: whatever steps wrote, in whatever order they were folded, adds up to what they added."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tallybook.live import shelf as shelf_module
from tallybook.live.bucket import Buckets, merged
from tallybook.live.cut import Cut
from tallybook.live.model import HOUR_US, SLOT_US, Subject
from tallybook.live.shelf import Shelf
from tallybook.store import Store

KEYS = [("month", 0), ("hour", 0), ("hour", HOUR_US), ("slot", SLOT_US)]
SUBJECTS = st.builds(Subject, st.sampled_from("ab"), st.just("f"), st.sampled_from(["", "x"]))
FIGURES = st.lists(st.integers(0, 9), min_size=7, max_size=7)
ADDED = st.lists(st.tuples(st.sampled_from(KEYS), SUBJECTS, FIGURES), max_size=4)
STEPS = st.lists(st.tuples(ADDED, st.booleans()), max_size=8)
LOTS = itertools.count(1)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    made = Store.create(tmp_path_factory.mktemp("shelf"))
    yield made
    made.close()


def stepped(store, shelf, lot, number, added):
    buckets = Buckets()
    for key, subject, figures in added:
        buckets.put(key, subject, figures)
    with store.write() as tx:
        shelf.write(tx, shelf.moved(tx, lot, number, buckets))


def steps_of(store, lot):
    with store.read() as tx:
        found = tx.scalar(
            "SELECT COUNT(*) FROM live_bucket WHERE lot = :lot AND span = 'step'", lot=lot
        )
    return int(found)


@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_it_holds_what_steps_added(store, monkeypatch, steps):
    monkeypatch.setattr(shelf_module, "STEPS_KEPT", 3)
    lot, shelf, wanted = next(LOTS), Shelf(), {}
    for number, (added, is_forgotten) in enumerate(steps, start=1):
        if is_forgotten:  # as when another process moved it
            shelf.forget()
        stepped(store, shelf, lot, number, added)
        assert steps_of(store, lot) <= 3
        for key, subject, figures in added:
            wanted[key] = merged(wanted.get(key, {}), {subject: figures})
        for looks in (shelf, Shelf()):
            with store.read() as tx:
                assert looks.keys(tx, lot, "hour", 0, 2 * HOUR_US) == sorted(
                    at for span, at in wanted if span == "hour"
                )
                first = min((at for span, at in wanted if span == "hour"), default=None)
                assert looks.first_us(tx, lot, "hour") == first
                for key in KEYS:
                    assert looks.read(tx, lot, key) == wanted.get(key, {})
                    cut, made = looks.cut(tx, lot, key), Cut.of(wanted.get(key, {}))
                    assert (cut.agents, cut.total) == (made.agents, made.total)


def test_steps_that_another_folds_meanwhile_count_once(store, monkeypatch):
    monkeypatch.setattr(shelf_module, "STEPS_KEPT", 2)
    lot, other, mine = next(LOTS), Shelf(), Shelf()
    one = (("month", 0), Subject("a", "f", ""), [1] * 7)
    stepped(store, other, lot, 1, [one])
    with store.read() as tx:
        mine.keys(tx, lot, "hour", 0, 1)  # it knows the steps, but read no bucket yet
    for number in (2, 3, 4):
        stepped(store, other, lot, number, [one])
    with store.read() as tx:
        assert mine.read(tx, lot, ("month", 0)) == {one[1]: [4] * 7}


def test_slots_of_the_past_are_forgotten(store):
    lot, shelf = next(LOTS), Shelf()
    one = (("slot", SLOT_US), Subject("a", "f", ""), [1] * 7)
    stepped(store, shelf, lot, 1, [one])
    with store.write() as tx:
        shelf.forget_slots(tx, 2 * SLOT_US)
    with store.read() as tx:
        assert shelf.keys(tx, lot, "slot", 2 * SLOT_US, 9 * SLOT_US) == []
