"""People stand behind random ids, and can be erased."""

import itertools

import pytest

from tallybook.meter import forget
from tallybook.meter.subjects import Subjects


def test_people_become_subjects_that_can_be_forgotten(store, record, bring_in, inbox_rows):
    lines = [record(f"e-{i}", user="anna@example.com", customer="anna@example.com") for i in "ab"]
    bring_in(store, lines)
    bring_in(store, [record("e-c", user="anna@example.com")])
    rows = inbox_rows(store)
    assert len({row["user"] for row in rows}) == 1
    assert rows[0]["user"] != rows[0]["customer"]
    assert rows[2]["customer"] == ""
    assert "anna" not in repr(rows)
    with store.write() as tx:
        assert forget(tx, "user", "anna@example.com")
        assert not forget(tx, "user", "anna@example.com")
    bring_in(store, [record("e-d", user="anna@example.com")])
    assert inbox_rows(store)[3]["user"] != rows[0]["user"]


@pytest.mark.both_stores
def test_a_name_with_a_nul_loses_no_call(store, record, bring_in, inbox_rows):
    bring_in(store, [record("e-a", user="an\0na"), record("e-b", user="an\0na", customer="\0")])
    rows = inbox_rows(store)
    assert rows[0]["user"] == rows[1]["user"] != ""
    assert rows[1]["customer"] not in ("", rows[0]["user"])
    with store.write() as tx:
        assert forget(tx, "user", "an\0na")


def test_a_rolled_back_subject_is_not_remembered(store):
    ordinal = itertools.count()
    subjects = Subjects(lambda: f"s-{next(ordinal)}")
    with pytest.raises(OSError, match="injected"), store.write() as tx:
        raise OSError(subjects.resolve(tx, [("user", "anna")]) and "injected")
    with store.write() as tx:
        found = subjects.resolve(tx, [("user", "anna"), ("customer", "anna")])
        subjects.committed()
        assert len(set(found.values())) == 2
        assert subjects.resolve(tx, [("user", "anna")]) == {("user", "anna"): found["user", "anna"]}
        stored = tx.scalar("SELECT subject FROM subject WHERE kind = 'user'")
    assert stored == found["user", "anna"]
