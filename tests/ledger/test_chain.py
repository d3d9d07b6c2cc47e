"""The hash of a link covers each of its fields."""

from __future__ import annotations

import hashlib

import pytest

from tallybook.ledger import GENESIS, Posting, append_entry, head
from tallybook.ledger.chain import LINK_FIELDS, POSTING_FIELDS, link_hash, link_id
from tallybook.store import Store, Tx

pytestmark = pytest.mark.both_stores

NOW_US = 1_790_000_000_000_000
LINK: dict[str, object] = dict.fromkeys(LINK_FIELDS, "x") | {"seq": 1, "recorded_us": 2}
POSTING: tuple[object, ...] = tuple(range(len(POSTING_FIELDS)))
HASH = link_hash(LINK, [POSTING])


def test_the_hash_is_sha256_over_canonical_json() -> None:
    text = (
        '{"actor":"x","corrects":"x","details":"x","id":"x","kind":"x","period":"x",'
        '"postings":[[0,1,2,3,4,5,6,7,8,9,10,11,12,13]],"prev_hash":"x","reason":"x",'
        '"recorded_us":2,"seq":1,"service_period":"x","text":"x","versions":"x"}'
    )
    assert hashlib.sha256(text.encode()).hexdigest() == link_hash(LINK, [POSTING]) == HASH


@pytest.mark.parametrize("name", LINK_FIELDS)
def test_every_field_of_a_link_counts(name: str) -> None:
    assert link_hash(LINK | {name: "other"}, [POSTING]) != HASH


@pytest.mark.parametrize("place", range(len(POSTING_FIELDS)))
def test_every_field_of_a_posting_counts(place: int) -> None:
    other = (*POSTING[:place], "other", *POSTING[place + 1 :])
    assert link_hash(LINK, [other]) != HASH


def test_number_and_order_of_postings_count() -> None:
    other = POSTING[::-1]
    pair = link_hash(LINK, [POSTING, other])
    assert len({HASH, pair, link_hash(LINK, [other, POSTING]), link_hash(LINK, [])}) == 4


def test_the_hash_covers_every_column_of_the_tables(store: Store) -> None:
    def columns(tx: Tx, table: str) -> set[str]:
        (row,) = tx.rows(f"SELECT t.* FROM (SELECT 1 AS one) o LEFT JOIN {table} t ON 1 = 1")
        return set(row._fields)

    with store.read() as tx:
        assert columns(tx, "chain") == {*LINK_FIELDS, "hash"}
        assert columns(tx, "posting") == {*POSTING_FIELDS, "seq"}


def test_ids_tell_entries_from_acts_and_grow_past_six_digits() -> None:
    assert link_id("entry", 1) == "E-000001"
    assert link_id("act", 1_234_567) == "A-1234567"


def test_the_head_is_the_newest_link(store: Store, make_entry) -> None:
    with store.write() as tx:
        assert (head(tx).seq, head(tx).id, head(tx).hash) == (0, "", GENESIS)
        first = append_entry(tx, make_entry(5), "run", NOW_US)
        assert head(tx) == first
        assert head(tx) != append_entry(tx, make_entry(5), "run", NOW_US)


def test_the_same_entries_make_the_same_chain(tmp_path, make_entry) -> None:
    heads = set()
    for name in ("here", "there"):
        books = Store.create(tmp_path / name)
        with books.write() as tx:
            append_entry(tx, make_entry(5, versions={"b": 1, "a": "é"}), "run", NOW_US)
            heads.add(append_entry(tx, make_entry(-5, details={"n": None}), "run", NOW_US).hash)
        books.close()
    assert len(heads) == 1


def test_a_changed_posting_changes_the_stored_hash(tmp_path, make_entry) -> None:
    heads = set()
    for team in ("a", "b"):
        books = Store.create(tmp_path / team)
        postings = (Posting("Cost:x", 1, team=team), Posting("Accrued:x", -1))
        with books.write() as tx:
            heads.add(append_entry(tx, make_entry(postings=postings), "run", NOW_US).hash)
        books.close()
    assert len(heads) == 2


def test_postings_are_counted_from_one(store: Store, make_entry) -> None:
    with store.write() as tx:
        append_entry(tx, make_entry(5, 6), "run", NOW_US)
        lines = [row.line for row in tx.rows("SELECT line FROM posting ORDER BY line")]
    assert lines == [1, 2, 3]
