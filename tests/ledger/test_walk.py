"""What no hash shows, because somebody made the hash anew; and texts that are hard to spell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from stores import Stores
from tallybook.ledger import append_entry
from tallybook.ledger.journal import with_postings
from tallybook.ledger.walk import Walk, walk_on
from tallybook.store import Store, Tx
from tampering import Attacked, kinds

NOW_US = 1_790_000_000_000_000


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("UPDATE posting SET amount_nano = 0", "balance"),
        ("DELETE FROM posting WHERE line > 1 AND seq = 9 OR amount_nano = 0", "balance"),
        ("DELETE FROM posting WHERE line > 2", "balance"),
        ("UPDATE chain SET period = '2026-10'", "period"),
        ("UPDATE chain SET id = 'A-000009'", "id"),
        ("UPDATE chain SET id = 'E-9'", "id"),
        ("UPDATE chain SET kind = 'act', id = 'A-000009'", "balance"),
        ("UPDATE chain SET prev_hash = prev_hash || 'x'", "link"),
        ("UPDATE chain SET prev_hash = substr(prev_hash, 1, 63)", "link"),
        (
            """UPDATE chain SET id = '"id":"E-000009","kind":"entry","period":"2026-11"'""",
            "id",
        ),
    ],
)
def test_what_no_hash_shows_is_found_by_its_rule(
    attacked: Attacked, statement: str, kind: str
) -> None:
    where = "" if "WHERE" in statement else " WHERE seq = 9"
    assert attacked.run(statement + where)
    attacked.rehash(9)
    assert kind in kinds(attacked.verify())


def test_words_that_look_like_keys_and_marks_of_every_kind_verify(
    store: Store, make_entry, stores: Stores
) -> None:
    odd = (
        '","id":"E-000001","kind":"entry","period":"2026-10"} ,0] \\ \n \x00 \x1f \x7f \u2028 é 語'
    )
    if stores.kind == "postgresql":
        odd = odd.replace("\x00", "")  # no text of it holds one
    with store.write() as tx:
        for text in ('"postings":[[1', odd, "plain"):
            append_entry(tx, make_entry(5, text=text, details={odd: odd}), odd, NOW_US)
    assert Attacked(store.home, store.home.parent / "copy", stores).verify().entries == 3


@pytest.mark.parametrize(("links", "postings"), [(2_000, 20_000), (2, 20_000), (2_000, 3), (1, 1)])
def test_of_a_good_chain_only_acts_are_looked_at_one_by_one(
    full_home: Path, monkeypatch: pytest.MonkeyPatch, links: int, postings: int
) -> None:
    looked: list[int] = []

    def seen(tx: Tx, rows: Sequence[Any]) -> Iterator[tuple[Any, list[Any]]]:
        looked.extend(row.seq for row in rows)
        return with_postings(tx, rows)

    monkeypatch.setattr("tallybook.ledger.walk.with_postings", seen)
    monkeypatch.setattr("tallybook.ledger.walk.LINKS_AT_ONCE", links)
    monkeypatch.setattr("tallybook.ledger.walk.POSTINGS_AT_ONCE", postings)
    walk = Walk()
    with Store(full_home).read() as tx:
        assert list(walk_on(tx, walk)) == []
        acts = [row.seq for row in tx.rows("SELECT seq FROM chain WHERE kind = 'act'")]
    assert (walk.seq, walk.entries) == (9, 5)
    assert looked == sorted(acts)


def test_a_window_ends_where_its_postings_are_too_many(
    store: Store, make_entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []

    class Watched:
        def __init__(self, tx: Tx) -> None:
            self.tx = tx

        def __getattr__(self, name: str) -> object:
            return getattr(self.tx, name)

        def plain_rows(self, statement: str, /, **params: object) -> object:
            rows = self.tx.plain_rows(statement, **params)
            if "sealed_postings" in statement:
                read.append(len(rows or ()))
            return rows

    monkeypatch.setattr("tallybook.ledger.walk.POSTINGS_AT_ONCE", 5)
    with store.write() as tx:
        for _ in range(7):
            append_entry(tx, make_entry(1, 2), "run", NOW_US)
        assert list(walk_on(Watched(tx), Walk())) == []  # type: ignore[arg-type]
    assert read == [2, 3, 2, 0]


def test_a_close_that_names_another_link_is_told_with_both(attacked: Attacked) -> None:
    details = """'{"head":"ab","seq":2}'"""
    assert attacked.run(f"UPDATE chain SET details = {details} WHERE seq = 4")
    (told,) = (fault.where for fault in attacked.verify().faults if fault.kind == "head")
    assert told.startswith("link 4 (A-000004) names link 2 ab, the one before is 3 ")


@pytest.mark.of_the_file
def test_every_value_that_cannot_be_read_is_named(attacked: Attacked) -> None:
    assert attacked.run("UPDATE chain SET text = x'00', actor = x'01' WHERE seq = 7")
    (told,) = (fault.where for fault in attacked.verify().faults if fault.kind == "unreadable")
    assert told == "link 7 (E-000007): actor is a bytes, text is a bytes"
