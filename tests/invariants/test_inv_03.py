"""INV-03: append-only, corrected by reversal."""

import pytest

from tallybook.errors import LedgerError, StoreError
from tallybook.ledger import reverse


def test_it_holds_on_lived_in_books(lived):
    assert lived.failing("INV-03") == {}


@pytest.mark.parametrize("table", ["chain", "posting", "statement", "document", "publication"])
def test_the_tables_refuse_change(lived, table):
    column = {"publication": "label", "document": "kind", "statement": "period"}.get(table, "seq")
    for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET {column} = {column}"):
        with pytest.raises(StoreError, match="append-only"), lived.store.write() as tx:
            tx.run(statement)


def test_missing_guards_are_the_one_thing_that_fails(lived, damage):
    damage(put_back=False)
    failing = lived.failing()
    assert set(failing) == {"INV-03"}
    assert "the guard document_no_update is missing" in failing["INV-03"]


def test_a_reversal_leaves_every_balance_as_without_the_entry(lived):
    before = lived.balances("2026-11")
    entry = lived.journal("2026-11")[0]
    with lived.store.write() as tx:
        reverse(tx, entry.id, "cfo", "wrong", lived.clock.now_us())
    assert lived.balances("2026-11") != before
    assert lived.failing("INV-01", "INV-03", "INV-15") == {}
    with pytest.raises(LedgerError, match="was reversed before"), lived.store.write() as tx:
        reverse(tx, entry.id, "cfo", "again", lived.clock.now_us())
    lived.run("2026-11")
    assert lived.balances("2026-11") == before


def test_a_reversal_that_is_no_negation_is_seen(lived, damage):
    entry = lived.journal("2026-11")[0]
    with lived.store.write() as tx:
        link = reverse(tx, entry.id, "cfo", "wrong", lived.clock.now_us())
    damage(f"UPDATE posting SET account = 'Cost:Z' WHERE seq = {link.seq} AND line = 1")
    assert f"{link.id} is not the negation of {entry.id}" in lived.failing("INV-03")["INV-03"]
