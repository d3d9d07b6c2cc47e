"""Corrections take the place of one event, once, and never in a circle."""

import pytest


def counts(result):
    return (result.accepted, result.duplicate, result.quarantined, result.rejected)


def test_a_correction_may_come_once(store, record, bring_in, inbox_rows):
    lines = [record("e-2", supersedes="e-1"), record("e-1"), record("e-3", supersedes="e-1")]
    assert counts(bring_in(store, lines)) == (2, 0, 1, 0)
    assert counts(bring_in(store, lines)) == (0, 2, 1, 0)
    assert counts(bring_in(store, [record("e-4", supersedes="e-1")])) == (0, 0, 1, 0)
    assert counts(bring_in(store, [record("e-4", source="sdk", supersedes="e-1")])) == (1, 0, 0, 0)
    assert counts(bring_in(store, [record("e-5", supersedes="e-2")])) == (1, 0, 0, 0)
    assert sorted(row["event_id"] for row in inbox_rows(store)) == ["e-1", "e-2", "e-4", "e-5"]


def test_a_batch_of_refused_corrections_leaves_no_claim(store, record, bring_in, inbox_rows):
    bring_in(store, [record("e-2", supersedes="e-1")])
    for _ in range(2):
        assert counts(bring_in(store, [record("e-3", supersedes="e-1")])) == (0, 0, 1, 0)
    assert len(inbox_rows(store)) == 1


@pytest.mark.parametrize("cut", [0, 1, 2, 3])
def test_a_circle_of_corrections_is_not_let_in(store, record, bring_in, inbox_rows, cut):
    lines = [
        record("e-1", supersedes="e-3"),
        record("e-2", supersedes="e-1"),
        record("e-3", supersedes="e-2"),
    ]
    results = [counts(bring_in(store, part)) for part in (lines[:cut], lines[cut:])]
    assert [sum(column) for column in zip(*results, strict=True)] == [2, 0, 1, 0]
    rows = inbox_rows(store)
    live = {row["event_id"] for row in rows} - {row["supersedes"] for row in rows}
    assert len(live) == 1
