"""Books of a simulation in a file, or in schemas of a PostgreSQL database that go away."""

import psycopg
import pytest

import servers
from tallybook.errors import StoreError
from tallybook.sim.places import Places
from tallybook.sim.world.hands import make_template


@pytest.fixture
def url():
    address = servers.postgres()
    return servers.url_of(address, psycopg.conninfo.conninfo_to_dict(address)["dbname"])


def schemas(url):
    with psycopg.connect(url) as server:
        rows = server.execute(
            "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'tallybook_sim%'"
        )
        return {name for (name,) in rows}


def write_and_be_cut(store, cut):
    insert = "INSERT INTO pool_actual (period, pool, amount_nano, actor, at_us) VALUES"
    with store.write() as tx:
        tx.run(f"{insert} ('2026-01', 'p', 1, 'a', 1)")
        cut()
        tx.run(f"{insert} ('2026-01', 'p', 2, 'a', 1)")


def test_without_a_url_books_are_a_file_made_of_a_template(tmp_path):
    template = make_template(tmp_path / "empty")
    with Places() as places:
        places.open(tmp_path / "books", template).close()
    assert (tmp_path / "books" / template.name).is_file()


def test_each_has_a_schema_of_its_own_that_goes_away(url, tmp_path):
    before = schemas(url)
    with Places(url) as places:
        stores = [places.open(tmp_path / name) for name in ("one", "two")]
        assert len(schemas(url) - before) == len(stores)
        for store in stores:
            with store.read() as tx:
                assert tx.scalar("SELECT COUNT(*) FROM chain") == 0
            store.close()
    assert schemas(url) == before


def test_a_cut_ends_what_is_under_way_and_leaves_nothing_of_it(url, tmp_path):
    with Places(url) as places:
        store, other = (places.open(tmp_path / name) for name in ("one", "two"))
        with pytest.raises(StoreError, match="went away"):
            write_and_be_cut(store, lambda: places.cut(tmp_path / "one"))
        for each in (store, other):
            with each.read() as tx:
                assert tx.scalar("SELECT COUNT(*) FROM pool_actual") == 0
            each.close()


def test_an_address_with_a_password_and_one_that_refuses_are_refused(tmp_path):
    with pytest.raises(StoreError, match="holds a password"):
        Places("postgresql://a:b@127.0.0.1/x")
    nobody = "postgresql://127.0.0.1:1/none"
    with Places(nobody) as places, pytest.raises(StoreError, match="the database refuses us"):
        places.open(tmp_path / "books")
