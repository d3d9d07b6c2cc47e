"""Reading the journal."""

from __future__ import annotations

import pytest

from tallybook.ledger import GENESIS, Posting, append_entry, entries
from tallybook.ledger.journal import LINKS_PER_READ
from tallybook.store import Store

pytestmark = pytest.mark.both_stores

NOW_US = 1_790_000_000_000_000


def test_entries_come_in_order_without_acts(full_home) -> None:
    store = Store.open(full_home)
    with store.read() as tx:
        everything = list(entries(tx))
        october = list(entries(tx, "2026-10"))
    store.close()
    assert [entry.id for entry in everything] == [
        "E-000001",
        "E-000002",
        "E-000005",
        "E-000007",
        "E-000009",
    ]
    assert [entry.id for entry in october] == ["E-000001", "E-000007"]
    assert all(sum(p.amount_nano for p in entry.postings) == 0 for entry in everything)
    assert (everything[0].prev_hash, everything[1].prev_hash) == (GENESIS, everything[0].hash)


def test_postings_come_with_their_own_entry_over_many_reads(store: Store, make_entry) -> None:
    count = LINKS_PER_READ + 3
    with store.write() as tx:
        for n in range(1, count + 1):
            append_entry(tx, make_entry(n, period=f"2026-{10 + n % 2}"), "run", NOW_US)
    with store.read() as tx:
        assert [entry.postings for entry in entries(tx)] == [
            (
                Posting("Cost:x", n, source="meter:0", service_period="2026-10"),
                Posting("Accrued:x", -n, service_period="2026-10"),
            )
            for n in range(1, count + 1)
        ]
        assert [entry.seq for entry in entries(tx, "2026-11")] == list(range(1, count + 1, 2))


def test_an_empty_journal_has_no_entries(store: Store) -> None:
    with store.read() as tx:
        assert list(entries(tx)) == []
