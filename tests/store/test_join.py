"""A second folder as a door to the same books."""

import pytest

from stores import Stores
from tallybook.errors import StoreError
from tallybook.store import Store
from tallybook.store.address import read_address
from tallybook.store.join import join


@pytest.fixture
def database():
    stores = Stores("postgresql")
    yield stores.database()
    stores.close()


def test_both_doors_lead_to_the_same_books(tmp_path, database):
    lake = (tmp_path / "shared").as_uri()
    first = Store.create(tmp_path / "first", database, lake)
    second = join(tmp_path / "second", database, lake)
    with second.write() as tx:
        tx.run("INSERT INTO ground (period, number, digest) VALUES ('2026-10', 1, 'x')")
    with first.read() as tx:
        assert tx.scalar("SELECT COUNT(*) FROM ground") == 1
    assert read_address(tmp_path / "second").lake == lake
    for store in (first, second):
        store.close()


def test_books_are_not_made_twice_in_a_database(tmp_path, database):
    Store.create(tmp_path / "first", database).close()
    with pytest.raises(StoreError, match="books in this database already") as refused:
        Store.create(tmp_path / "second", database)
    assert "--join" in refused.value.next_step


def test_a_database_without_books_is_not_joined(tmp_path, database):
    with pytest.raises(StoreError, match="no books in this database"):
        join(tmp_path / "second", database)
    assert not (tmp_path / "second").exists()
