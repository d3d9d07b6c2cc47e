"""The door: what the book refuses by itself, and what a failing disk says."""

from contextlib import closing

import pytest
from sqlalchemy import event

from tallybook.errors import CorruptedError, RangeError, StoreError
from tallybook.store import Store, canonical_json
from tallybook.store.schema import APPEND_ONLY

pytestmark = pytest.mark.both_stores


@pytest.fixture
def store(new_store):
    return new_store()


DOCUMENT = (
    "INSERT INTO document (kind, version, body, sha256, applied_us, actor)"
    " VALUES ('org', :version, '{}', 'x', 1, 'me')"
)
CHAIN = (
    "INSERT INTO chain (seq, id, kind, reason, period, service_period, recorded_us, actor, text,"
    " versions, corrects, details, prev_hash, hash) VALUES (:seq, 'id' || :seq, :kind, :reason,"
    " '2026-10', '', 1, 'me', '', '{}', '', '{}', '', '')"
)
POSTING = (
    "INSERT INTO posting (seq, line, account, team, feature, purpose, kind, provider, service,"
    " detail, source, service_period, price_version, policy_version, amount_nano)"
    " VALUES (:seq, :line, 'a', '', '', '', '', '', '', '', '', '', '', 0, :nano)"
)


def entry(tx, seq, *nanos):
    for line, nano in enumerate(nanos):
        tx.run(POSTING, seq=seq, line=line, nano=nano)
    tx.run(CHAIN, seq=seq, kind="entry", reason="meter")


def act(tx, seq, reason):
    tx.run(CHAIN, seq=seq, kind="act", reason=reason)


def test_a_number_beyond_a_column_is_an_error_of_ours(store):
    """SQLite's driver raises what no command expects."""
    with pytest.raises(RangeError, match="larger than a column holds"), store.write() as tx:
        tx.run(DOCUMENT, version=10**20)
    with pytest.raises(StoreError), store.read() as tx:
        tx.rows("SELECT * FROM document WHERE version = CAST(:version AS BIGINT)", version=10**20)
    with store.read() as tx:
        assert tx.rows("SELECT * FROM document") == []


def raised(store, fault):
    with store.write() as tx:
        tx.run(DOCUMENT, version=1)
        fault()


@pytest.mark.parametrize(
    ("fault", "kind"),
    [(lambda: float(10**400), OverflowError), (b"\xff".decode, UnicodeDecodeError)],
)
def test_what_our_own_code_raises_is_no_fault_of_the_store(store, fault, kind):
    with pytest.raises(kind):
        raised(store, fault)
    with store.read() as tx:
        assert tx.rows("SELECT * FROM document") == []


def test_a_write_is_wholly_in_or_wholly_out(store):
    with pytest.raises(StoreError, match=r"(?i)unique"), store.write() as tx:
        tx.run_many(DOCUMENT, [{"version": 1}, {"version": 2}, {"version": 1}])
    with store.read() as tx:
        assert tx.rows("SELECT * FROM document") == []


def test_books_are_not_made_over_books(store):
    with pytest.raises(StoreError, match="books here already"):
        Store.create(store.home)


def test_what_a_killed_command_left_may_become_books_of_another_address(tmp_path):
    lake = (tmp_path / "elsewhere").as_uri()

    def die():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Store.create(tmp_path / "home", lake=lake, fill=lambda *_: die())
    with pytest.raises(StoreError, match="no books in this database"):
        Store.open(tmp_path / "home")
    Store.create(tmp_path / "home").close()
    with closing(Store.open(tmp_path / "home")) as made:
        assert made.address.lake == ""


def test_no_books_no_opening(tmp_path):
    with pytest.raises(StoreError, match="tallybook init"):
        Store.open(tmp_path)


def test_a_damaged_file_is_named_so(tmp_path):
    (tmp_path / "book.sqlite").write_bytes(b"not a database at all" * 100)
    with pytest.raises(CorruptedError, match="restore the file from a backup"):
        Store.open(tmp_path)


def test_the_journal_tables_refuse_change(store):
    with store.write() as tx:
        tx.run(DOCUMENT, version=1)
        entry(tx, 1, 5, -5)
    for statement in (
        "UPDATE document SET actor = 'you'",
        "DELETE FROM posting",
        "DELETE FROM chain",
    ):
        with pytest.raises(StoreError, match="append-only"), store.write() as tx:
            tx.run(statement)
    with store.read() as tx:
        triggers = tx.guards()
    expected = {f"{table.name}_no_{verb}" for table in APPEND_ONLY for verb in ("update", "delete")}
    assert expected <= triggers


@pytest.mark.parametrize(
    ("nanos", "words"),
    [((5, -4), "do not sum to zero"), ((0,), "at least two"), ((5, -5, 0), "no zero posting")],
)
def test_an_entry_must_balance(store, nanos, words):
    with pytest.raises(StoreError, match=words), store.write() as tx:
        entry(tx, 1, *nanos)


def test_an_entry_is_shut_once_written(store):
    with store.write() as tx:
        entry(tx, 1, 5, -5)
    with pytest.raises(StoreError, match="the entry is written"), store.write() as tx:
        tx.run(POSTING, seq=1, line=9, nano=1)


def test_the_chain_has_no_gap(store):
    with pytest.raises(StoreError, match="grows by one link"), store.write() as tx:
        act(tx, 2, "close")


def test_a_closed_period_takes_no_entry_until_reopened(store):
    with store.write() as tx:
        act(tx, 1, "close")
    with pytest.raises(StoreError, match="the period is closed"), store.write() as tx:
        entry(tx, 2, 5, -5)
    with store.write() as tx:
        act(tx, 2, "reopen")
        entry(tx, 3, 5, -5)


def test_canonical_json_is_one_text():
    assert canonical_json({"b": 1, "a": ["é"]}) == '{"a":["é"],"b":1}'


def test_what_is_held_open_is_one_connection_for_all_its_transactions(store):
    made = []
    event.listen(store._engine, "connect", lambda *_: made.append(1))
    with store.held_open():
        before = len(made)
        with store.write() as tx:
            tx.run(DOCUMENT, version=1)
        with pytest.raises(StoreError), store.write() as tx:
            tx.run(DOCUMENT.replace("'{}'", "NULL"), version=2)
        with store.read() as tx:
            assert tx.scalar("SELECT COUNT(*) FROM document") == 1
        assert len(made) == before


def test_a_transaction_within_another_sees_what_stood_before_it(store):
    with store.held_open(), store.write() as tx:
        tx.run(DOCUMENT, version=1)
        with store.read() as other:
            assert other.scalar("SELECT COUNT(*) FROM document") == 0
