"""The tables behind one call, one charge: names, members, what stands, suspects."""

from __future__ import annotations

import pytest

from tallybook.store.calls import (
    Member,
    Standing,
    add_aliases,
    add_suspects,
    aliased,
    declared_same,
    judge,
    members_in,
    members_of,
    put_members,
    put_standings,
    standings,
    suspect_rows,
)

A, B, C = (bytes([n]) * 16 for n in range(3))


pytestmark = pytest.mark.both_stores


@pytest.fixture
def store(new_store):
    return new_store()


def test_a_name_stays_with_its_first_bearer(store):
    with store.write() as tx:
        add_aliases(tx, [(A, B, "2026-10")])
        add_aliases(tx, [(A, C, "2026-11"), (C, C, "2026-11")])
    with store.read() as tx:
        assert aliased(tx, [A, B, C]) == {A: (B, "2026-10"), C: (C, "2026-11")}
        assert aliased(tx, []) == {}


def test_a_member_moves_to_another_call(store):
    first = Member(A, B, "2026-10", bills=True)
    moved = Member(A, C, "2026-10", bills=False)
    with store.write() as tx:
        put_members(tx, [first, Member(B, B, "2026-10", bills=False)])
        put_members(tx, [moved])
    with store.read() as tx:
        assert members_of(tx, [A]) == {A: moved}
        assert [member.observation for member in members_in(tx, [B, C])] == [B, A]


def test_what_stands_is_replaced(store):
    with store.write() as tx:
        put_standings(tx, [Standing(A, "merged", "x~1", 7, B, 1)])
        put_standings(tx, [Standing(A, "merged", "x~2", 8, C, 2)])
    with store.read() as tx:
        assert standings(tx, [A, B]) == {A: Standing(A, "merged", "x~2", 8, C, 2)}


def test_a_verdict_is_kept_and_a_pair_listed_once(store):
    with store.write() as tx:
        add_suspects(tx, {(A, B): ("first", 5)})
        judge(tx, [(A, B)], "same", "ann", "one proxy", 9)
        add_suspects(tx, {(A, B): ("again", 6), (B, C): ("other", 7)})
    with store.read() as tx:
        assert [(row.told, row.verdict) for row in suspect_rows(tx)] == [
            ("first", "same"),
            ("other", ""),
        ]
        assert declared_same(tx, [B]) == [frozenset((A, B))]
        assert declared_same(tx, [C]) == []
