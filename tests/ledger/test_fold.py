"""Balances are made of what was hashed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tallybook.ledger import Entry, append_entry, verify
from tallybook.ledger.balance import trial_balance
from tallybook.ledger.fold import Folded, fold_faults, folded, orphan_faults
from tallybook.ledger.walk import Fault, Walk
from tallybook.store import Store
from tallybook.store.engine import BOOK

NOW_US = 1_790_000_000_000_000
HASHED = Walk(postings=2, debit_nano=5)


def test_balances_are_made_of_so_many_postings_and_so_much_on_each_side(
    store: Store, make_entry: Callable[[int], Entry]
) -> None:
    with store.write() as tx:
        append_entry(tx, make_entry(5), "run", NOW_US)
        append_entry(tx, make_entry(7), "run", NOW_US)
        assert folded(tx) == Folded(postings=4, debit_nano=12, credit_nano=12)
        rows = trial_balance(tx)
    assert sum(row.debit_nano for row in rows) == sum(row.credit_nano for row in rows) == 12


@pytest.mark.parametrize(
    "found", [Folded(3, 5, 5), Folded(1, 5, 5), Folded(2, 6, 5), Folded(2, 5, 4), Folded(2, 6, 6)]
)
def test_balances_of_other_postings_than_were_hashed_are_a_fault(found: Folded) -> None:
    assert list(fold_faults(HASHED, Folded(2, 5, 5))) == []
    [fault] = fold_faults(HASHED, found)
    assert fault.kind == "fold"
    told = f"{found.postings} postings, debit {found.debit_nano}, credit {found.credit_nano} nano"
    assert fault.where == (
        f"balances are made of {told}; hashed were 2 postings, debit 5, credit 5 nano"
    )


@pytest.mark.of_the_file
def test_postings_that_the_index_does_not_show_are_a_fault(
    store: Store, make_entry: Callable[[int], Entry]
) -> None:
    """They stand in the balances, but no walk along the links meets them."""
    with store.write() as tx:
        append_entry(tx, make_entry(5), "run", NOW_US)
    add_beside_the_indexes(store.home / BOOK)
    with store.read() as tx:
        found = verify(tx)
    [fault] = found.faults
    assert fault.kind == "fold"
    assert fault.where.startswith("balances are made of 4 postings, debit 9, credit 9 nano")


def add_beside_the_indexes(book: Path) -> None:
    """Two postings of link 1 that stand in the table and in none of its indexes: a damaged file."""
    pages = "WHERE type = 'index' AND tbl_name = 'posting'"
    with sqlite3.connect(book, isolation_level=None) as database:
        triggers = database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (name,) in triggers.fetchall():
            database.execute(f"DROP TRIGGER {name}")
        [created] = database.execute("SELECT sql FROM sqlite_master WHERE name = 'posting'")
        database.execute("PRAGMA writable_schema=ON")
        indexes = database.execute(f"SELECT * FROM sqlite_master {pages}").fetchall()
        database.execute(f"DELETE FROM sqlite_master {pages}")
        unkeyed = created[0].replace("PRIMARY KEY (seq, line)", "CHECK (1)")
        database.execute("UPDATE sqlite_master SET sql = ? WHERE name = 'posting'", [unkeyed])
        database.execute("PRAGMA schema_version=1000000")
    with sqlite3.connect(book, isolation_level=None) as database:
        names = [row[1] for row in database.execute("PRAGMA table_info(posting)")]
        kept = ", ".join(name for name in names if name not in ("line", "amount_nano"))
        for line, nano in ((8, 4), (9, -4)):
            database.execute(
                f"INSERT INTO posting (line, amount_nano, {kept})"
                f" SELECT {line}, {nano}, {kept} FROM posting WHERE line = 1"
            )
        database.execute("PRAGMA writable_schema=ON")
        database.execute("UPDATE sqlite_master SET sql = ? WHERE name = 'posting'", created)
        database.executemany("INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)", indexes)
        database.execute("PRAGMA schema_version=1001")


def test_a_posting_that_no_walk_met_is_a_fault_though_its_link_is_there(
    store: Store, make_entry: Callable[[int], Entry]
) -> None:
    with store.write() as tx:
        append_entry(tx, make_entry(5), "run", NOW_US)
        assert list(orphan_faults(tx, read=2)) == []
        told = "2 postings are stored, 1 stand with their links"
        assert list(orphan_faults(tx, read=1)) == [Fault("orphan", told)]
