"""The book as a file: what SQLite does in its own way."""

import sqlite3

import pytest

from tallybook.errors import CorruptedError, StoreError
from tallybook.store import Store, Tx
from tallybook.store.sqlite import Sqlite


@pytest.fixture
def store(tmp_path):
    books = Store.create(tmp_path / "books")
    yield books
    books.close()


@pytest.mark.parametrize(
    ("message", "kind", "words"),
    [
        ("database is locked", StoreError, "another command is writing"),
        ("database or disk is full", StoreError, "nothing of this command was kept"),
        ("database disk image is malformed", CorruptedError, "the book file is damaged"),
        ("no such table: x", StoreError, "no such table: x"),
    ],
)
def test_an_error_says_what_to_do(tmp_path, message, kind, words):
    told = Sqlite(tmp_path / "book.sqlite").error(sqlite3.OperationalError(message))
    assert type(told) is kind
    assert words in told.what
    assert told.where == str(tmp_path / "book.sqlite")


def test_a_value_that_is_no_whole_number_is_counted(store):
    with store.write() as tx:
        tx.run(
            "INSERT INTO pool_actual (period, pool, amount_nano, actor, at_us)"
            " VALUES ('2026-10', 'p', 0.5, 'me', 1)"
        )
        assert tx.not_whole("pool_actual", "amount_nano") == 1
        assert tx.not_whole("posting", "amount_nano") == 0
        assert tx.integrity() == []


def test_what_is_read_once_is_not_kept_and_only_by_who_said_so(store):
    with store.read() as tx:
        usual = tx.scalar("PRAGMA cache_size")
        tx.read_once()
        assert abs(tx.scalar("PRAGMA cache_size")) < abs(usual)
    with store.read() as tx:
        assert tx.scalar("PRAGMA cache_size") == usual


def test_a_reader_does_not_wait_for_a_writer(store):
    with store.write() as writing, store.read() as reading:
        writing.run("INSERT INTO ground (period, number, digest) VALUES ('2026-10', 1, 'x')")
        assert reading.scalar("SELECT COUNT(*) FROM ground") == 0


def test_a_full_disk_says_what_to_do(store, monkeypatch):
    def full(*_args, **_params):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(Tx, "run", full)
    with pytest.raises(StoreError) as refused, store.write() as tx:
        tx.run("DELETE FROM inbox")
    assert "disk is full; nothing of this command was kept" in refused.value.what
    assert "make room on the disk" in refused.value.next_step


def test_damage_that_the_driver_cannot_even_spell_is_damage(tmp_path):
    """The message quotes bytes that are no text, and the driver stumbles over its own message."""
    Store.create(tmp_path).close()
    book = tmp_path / "book.sqlite"
    held = book.read_bytes()
    book.write_bytes(held.replace(b"CREATE TABLE document", b"CREATE \xff\xffBLE document"))
    with pytest.raises(CorruptedError, match="malformed text") as refused:
        Store.open(tmp_path)
    assert isinstance(refused.value.__cause__, UnicodeDecodeError)


@pytest.mark.parametrize("name", ["what?", "a%20b", "#1", "b [2026]", "it's", "bücher"])
def test_a_folder_of_any_name_holds_its_own_books(tmp_path, name):
    Store.create(tmp_path / name).close()
    assert [one.name for one in tmp_path.iterdir()] == [name]
    Store.open(tmp_path / name).close()
