"""Tables of provider invoices: they are in every book, and they only grow."""

import pytest

from tallybook.errors import StoreError
from tallybook.store.invoice_tables import INVOICE_TABLES


@pytest.mark.both_stores
def test_what_was_taken_in_or_decided_is_never_changed(new_store):
    store = new_store()
    with store.write() as tx:
        tx.run(
            "INSERT INTO variance_decision (period, variance, status, owner, reason, actor, at_us)"
            " VALUES ('2026-10', 'R-1', 'open', '', '', 'cfo', 1)"
        )
    for statement in (
        "UPDATE variance_decision SET status = 'accepted'",
        "DELETE FROM variance_decision",
    ):
        with pytest.raises(StoreError, match="append-only"), store.write() as tx:
            tx.run(statement)
    with store.read() as tx:
        triggers = tx.guards()
    for table in INVOICE_TABLES:
        assert {f"{table.name}_no_update", f"{table.name}_no_delete"} <= triggers
