"""The tables of adjusting entries and disputes only grow, and an id stands once."""

import pytest

from tallybook.errors import StoreError
from tallybook.store import Store
from tallybook.store.close_tables import CLOSE_TABLES, DISPUTE


def row(table):
    return {column.name: 0 if column.type.python_type is int else "x" for column in table.columns}


@pytest.mark.parametrize("table", CLOSE_TABLES, ids=lambda table: table.name)
def test_they_only_grow(tmp_path, table):
    store = Store.create(tmp_path / "books")
    values = row(table)
    names = ", ".join(values)
    insert = f"INSERT INTO {table.name} ({names}) VALUES ({', '.join(f':{n}' for n in values)})"
    with store.write() as tx:
        tx.run(insert, **values)
    refused = (
        insert, f"UPDATE {table.name} SET actor = 'eve'", f"DELETE FROM {table.name}",
    )  # fmt: skip
    for statement in refused:
        given = values if statement is insert else {}
        with pytest.raises(StoreError, match=r"INV-03|UNIQUE"), store.write() as tx:
            tx.run(statement, **given)
    store.close()


def test_cents_are_whole_and_of_any_size():
    assert DISPUTE.c.amount_cents.type.python_type is int
