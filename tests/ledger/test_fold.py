"""Balances folded a second time."""

from __future__ import annotations

from tallybook.ledger import append_entry, verify
from tallybook.ledger.fold import orphan_faults
from tallybook.ledger.walk import Fault
from tallybook.store import Store
from tampering import kinds

NOW_US = 1_790_000_000_000_000


def test_a_fold_that_differs_from_the_hashed_postings_is_a_fault(store: Store, make_entry) -> None:
    class Skewed:
        """Answers as the database does, but folds as a damaged index might."""

        def __init__(self, tx: object) -> None:
            self.tx = tx

        def __getattr__(self, name: str) -> object:
            return getattr(self.tx, name)

        def rows(self, statement: str, /, **params: object) -> object:
            skewed = statement.replace("SELECT\n  p.account", "SELECT\n  'Cost:other' AS account")
            return self.tx.rows(skewed, **params)  # type: ignore[attr-defined]

    with store.write() as tx:
        append_entry(tx, make_entry(5), "run", NOW_US)
        assert verify(tx).ok
        found = verify(Skewed(tx))  # type: ignore[arg-type]
        assert kinds(found) == {"fold"}
        assert [fault.where for fault in found.faults] == [
            "Accrued:x: SQL 0, hashed -5 nano",
            "Cost:other: SQL 5, hashed 0 nano",
            "Cost:x: SQL 0, hashed 5 nano",
        ]


def test_a_posting_that_no_walk_met_is_a_fault_though_its_link_is_there(
    store: Store, make_entry
) -> None:
    with store.write() as tx:
        append_entry(tx, make_entry(5), "run", NOW_US)
        assert list(orphan_faults(tx, read=2)) == []
        told = "2 postings are stored, 1 stand with their links"
        assert list(orphan_faults(tx, read=1)) == [Fault("orphan", told)]
