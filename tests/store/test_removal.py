"""Migrations both ways, on either store: nothing that was recorded is lost."""

import pytest

from company import usage
from tallybook.errors import StoreError, WrongUsageError
from tallybook.ledger.verify import verify
from tallybook.store import Store
from tallybook.store.engine import HEAD
from tallybook.store.upgrade import upgrade

pytestmark = pytest.mark.both_stores


def shape(store):
    with store.read() as tx:
        return tx.tables(), sorted(tx.guards())


def test_down_to_nothing_and_up_again(new_store):
    store = new_store()
    whole = shape(store)
    assert "chain_grows" in whole[1]
    store.migrate(to="base")
    with store.read() as tx:
        assert set(tx.tables()) <= {"alembic_version", "sqlite_sequence"}
        assert not tx.guards()
    assert not store.has_books()
    store.migrate()
    assert shape(store) == whole
    assert store.version() == HEAD


def test_each_step_is_taken_back_and_done_again(new_store):
    store = new_store()
    whole = shape(store)
    for number in range(int(HEAD) - 1, 0, -1):
        store.migrate(to=f"{number:04}")
        assert store.version() == f"{number:04}"
        store.migrate()
        assert shape(store) == whole


def test_books_go_back_as_far_as_nothing_is_lost(company):
    company.ingest(usage("1"))
    company.run()
    company.close()
    with company.store.read() as tx:
        before = verify(tx)
    home = company.store.home
    done = upgrade(home, "0003")
    assert (done.before, done.after) == (HEAD, "0003")
    assert [number for number, _ in done.steps][-1] == "0004"
    with pytest.raises(StoreError, match="tallybook upgrade"):
        Store.open(home)
    upgrade(home)
    with Store.open(home).read() as tx:
        assert verify(tx) == before
    assert company.rebuilt() == {("2026-10", 1): ""}


def test_a_journal_is_never_lost(company):
    company.ingest(usage("1"))
    company.run()
    rows = company.dump()
    with pytest.raises(StoreError, match=r"rows of .* would be lost; nothing was changed"):
        company.store.migrate(to="base")
    assert company.dump() == rows


def test_what_a_later_table_holds_keeps_it(company):
    with company.store.write() as tx:
        tx.run(
            "INSERT INTO variance_decision (period, variance, status, owner, reason, actor, at_us)"
            " VALUES ('2026-10', 'v', 'open', 'o', 'r', 'a', 1)"
        )
    with pytest.raises(StoreError, match="1 rows of variance_decision") as refused:
        upgrade(company.store.home, "0004")
    assert refused.value.next_step
    assert company.store.version() == HEAD


def test_a_schema_that_nobody_knows_is_refused(company):
    with pytest.raises(WrongUsageError, match="there is no schema '9999'"):
        upgrade(company.store.home, "9999")
