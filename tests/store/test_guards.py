"""The guards of tables that only grow; those of the chain are asked in `test_engine.py`."""

from tallybook.store import Store
from tallybook.store.schema import METADATA


def test_a_table_that_only_grows_has_both_guards_once(tmp_path):
    store = Store.create(tmp_path / "books")
    with store.read() as tx:
        found = [
            str(row.name)
            for row in tx.rows("SELECT name FROM sqlite_master WHERE type = 'trigger' ORDER BY 1")
        ]
    store.close()
    assert len(found) == len(set(found))
    guarded = {name.removesuffix("_no_update") for name in found if name.endswith("_no_update")}
    assert {f"{table}_no_delete" for table in guarded} <= set(found)
    assert guarded <= set(METADATA.tables)
    assert {"chain", "posting", "statement", "invoice_line"} <= guarded
