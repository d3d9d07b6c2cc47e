"""The book as a database of a server: what PostgreSQL does in its own way.

What both stores keep alike is asked in `test_engine.py` and by the tests marked ``both_stores``.
"""

import threading

import psycopg
import pytest

import servers
from stores import Stores
from tallybook.errors import CorruptedError, StoreError
from tallybook.store import Store
from tallybook.store.address import Address
from tallybook.store.postgresql import PostgreSql

GROUND = "INSERT INTO ground (period, number, digest) VALUES (:period, 1, 'x')"


@pytest.fixture
def new_books(tmp_path):
    stores = Stores("postgresql")
    opened = []

    def new(name="books"):
        opened.append(stores.open(tmp_path / name))
        return opened[-1]

    yield new
    for store in opened:
        store.close()
    stores.close()


def test_a_read_is_one_snapshot_and_writes_nothing(new_books):
    store = new_books()
    with store.read() as reading:
        assert reading.scalar("SELECT COUNT(*) FROM ground") == 0
        with store.write() as writing:
            writing.run(GROUND, period="2026-10")
        assert reading.scalar("SELECT COUNT(*) FROM ground") == 0
    with pytest.raises(StoreError, match="read-only transaction"), store.read() as tx:
        tx.run(GROUND, period="2026-11")


def test_writers_are_in_one_line_and_each_sees_the_one_before(new_books):
    first = new_books()
    second = Store.open(first.home)
    seen = []

    def write_after():
        with second.write() as tx:
            seen.append(tx.scalar("SELECT COUNT(*) FROM ground"))
            tx.run(GROUND, period="2026-11")

    with first.write() as tx:
        other = threading.Thread(target=write_after)
        other.start()
        other.join(0.3)
        assert other.is_alive(), "it waits for the write lock"
        tx.run(GROUND, period="2026-10")
    other.join(30)
    second.close()
    assert seen == [1]


def cut(told, pid):
    told.rows("SELECT pg_terminate_backend(:pid, 5000)", pid=pid)


def cut_by(other, tx):
    """Its line is cut, and it says something more."""
    with other.read() as told:
        cut(told, tx.scalar("SELECT pg_backend_pid()"))
    tx.run(GROUND, period="2026-12")


def test_what_is_held_open_is_opened_anew_where_its_line_was_cut(new_books, caplog):
    store, other = new_books(), new_books("other")
    with store.held_open():
        for period in ("2026-10", "2026-11"):
            with store.write() as tx:
                tx.run(GROUND, period=period)
                pid = tx.scalar("SELECT pg_backend_pid()")
            with other.read() as tx:
                cut(tx, pid)
        with store.read() as tx:
            assert tx.scalar("SELECT COUNT(*) FROM ground") == 2
        with pytest.raises(StoreError, match="went away"), store.write() as tx:
            cut_by(other, tx)
        with store.read() as tx:
            assert tx.scalar("SELECT COUNT(*) FROM ground") == 2
    assert caplog.records == []


def test_who_waited_too_long_on_a_line_that_is_held_open_may_try_again(new_books, monkeypatch):
    monkeypatch.setattr(PostgreSql, "write", PostgreSql.write.replace("60s", "50ms"))
    first = new_books()
    second = Store.open(first.home)
    with second.held_open():
        with first.write(), pytest.raises(StoreError, match="is writing"), second.write():
            pass
        with second.write() as tx:
            tx.run(GROUND, period="2026-10")
    second.close()


def test_who_waits_for_the_write_lock_and_is_cut_off_is_told_that_alone(new_books, caplog):
    first = new_books()
    second = Store.open(first.home)
    told = []

    def waits():
        try:
            with second.write():
                pass
        except StoreError as error:
            told.append(error.what)

    with first.write() as tx:
        other = threading.Thread(target=waits)
        other.start()
        waiting = []
        while not waiting:
            waiting = tx.rows(
                "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            )
        cut(tx, waiting[0].pid)
        other.join(30)
    second.close()
    assert len(told) == 1
    assert "the database went away" in told[0]
    assert caplog.records == []


def test_books_of_another_schema_have_a_write_lock_of_their_own(tmp_path):
    with servers.postgres_database() as url:
        mark = "&" if "?" in url else "?"
        stores = []
        for name in ("one", "two"):
            with psycopg.connect(url, autocommit=True) as server:
                server.execute(f"CREATE SCHEMA {name}")
            option = f"{mark}options=-csearch_path%3D{name}"
            stores.append(Store.create(tmp_path / name, url + option))
        with stores[0].write() as first, stores[1].write() as second:
            first.run(GROUND, period="2026-10")
            assert second.scalar("SELECT COUNT(*) FROM ground") == 0
        for store in stores:
            store.close()


def test_a_schema_that_is_not_there_is_refused(tmp_path):
    with servers.postgres_database() as url:
        mark = "&" if "?" in url else "?"
        with pytest.raises(StoreError, match="no schema"):
            Store.create(tmp_path / "books", f"{url}{mark}options=-csearch_path%3Dabsent")


def test_a_number_is_never_given_twice(new_books):
    store = new_books()
    with store.write() as tx:
        assert tx.last_number("inbox", "batch") == 0
        tx.note_number("inbox", "batch", 1)
    with store.write() as tx:
        assert tx.last_number("inbox", "batch") == 1


def test_a_sum_of_whole_numbers_is_one_of_any_size(new_books):
    with new_books().read() as tx:
        total = tx.scalar(f"SELECT SUM(x) FROM (VALUES ({2**63 - 1}), (3)) AS v (x)")
    assert (type(total), total) == (int, 2**63 + 2)


def test_rows_go_by_thousands_and_each_id_once(new_books):
    rows = [(number.to_bytes(16, "big"), b"r" * 16, 1) for number in range(45_000)]
    statement = (
        "INSERT INTO claim (key, record, batch) VALUES (?, ?, ?) ON CONFLICT (key) DO NOTHING"
    )
    with new_books().write() as tx:
        assert tx.run_tuples(statement, rows[:5]) == 5
        assert tx.run_tuples(statement, rows) == len(rows) - 5
        wanted = [rows[7][0], rows[7][0], b"x" * 16]
        assert [bytes(row.key) for row in tx.rows_among("claim", "key", wanted)] == [rows[7][0]]


def test_text_stands_in_the_order_of_its_bytes(new_books):
    with new_books().write() as tx:
        for period in ("b", "B", "a", "é"):
            tx.run(GROUND, period=period)
        found = [row.period for row in tx.rows("SELECT period FROM ground ORDER BY period")]
    assert found == ["B", "a", "b", "é"]


def test_a_guard_that_was_switched_off_is_missing(new_books):
    store = new_books()
    with store.write() as tx:
        tx.run("ALTER TABLE posting DISABLE TRIGGER posting_no_delete")
        assert "posting_no_delete" not in tx.guards()
        assert "posting_no_update" in tx.guards()


def test_a_journal_is_not_emptied_in_one_go(new_books):
    with pytest.raises(StoreError, match="append-only: TRUNCATE"), new_books().write() as tx:
        tx.run("TRUNCATE posting, chain")


def test_a_column_of_another_type_is_seen(new_books):
    with new_books().write() as tx:
        assert tx.not_whole("posting", "amount_nano") == 0
        tx.run("ALTER TABLE pool_actual ALTER amount_nano TYPE numeric")
        tx.run(
            "INSERT INTO pool_actual (period, pool, amount_nano, actor, at_us)"
            " VALUES ('2026-10', 'p', 0.5, 'me', 1)"
        )
        assert tx.not_whole("pool_actual", "amount_nano") == 1


def test_no_server_is_told_with_its_place_and_the_next_step(tmp_path):
    with pytest.raises(StoreError) as refused:
        Store.create(tmp_path / "books", f"postgresql://tally@/books?host={tmp_path}")
    assert "the database went away" in refused.value.what
    assert refused.value.where == f"postgresql://{tmp_path}/books"
    assert "run the same command again" in refused.value.next_step


def test_a_database_that_is_not_there_is_told(tmp_path):
    with servers.postgres_database() as url:
        absent = url.replace("tallybook_", "absent_")
        with pytest.raises(StoreError, match="absent_"):
            Store.create(tmp_path / "books", absent)


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (psycopg.errors.AdminShutdown("x"), StoreError, "went away"),
        (psycopg.errors.InvalidPassword("x"), StoreError, "refuses us"),
        (psycopg.errors.InsufficientPrivilege("x"), StoreError, "refuses us"),
        (psycopg.errors.DiskFull("x"), StoreError, "nothing of this command was kept"),
        (psycopg.errors.LockNotAvailable("x"), StoreError, "another command is writing"),
        (psycopg.errors.DataCorrupted("x"), CorruptedError, "damaged"),
        (psycopg.OperationalError("the connection is lost"), StoreError, "went away"),
        (psycopg.errors.UndefinedTable("no such"), StoreError, "no such"),
    ],
)
def test_an_error_says_what_to_do(tmp_path, fault, kind, words):
    told = PostgreSql(Address(tmp_path, "postgresql://u@host/books")).error(fault)
    assert type(told) is kind
    assert words in told.what
    assert told.where == "postgresql://host/books"
