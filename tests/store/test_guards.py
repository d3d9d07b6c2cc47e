"""The guards of tables that only grow; those of the chain are asked in `test_engine.py`."""

import pytest

from tallybook.store.schema import METADATA


@pytest.mark.both_stores
def test_a_table_that_only_grows_has_both_guards(new_store):
    with new_store().read() as tx:
        found = tx.guards()
    guarded = {name.removesuffix("_no_update") for name in found if name.endswith("_no_update")}
    assert {f"{table}_no_delete" for table in guarded} <= found
    assert guarded <= set(METADATA.tables)
    assert {"chain", "posting", "statement", "invoice_line"} <= guarded
