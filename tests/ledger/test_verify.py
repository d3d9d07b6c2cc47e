"""Tampering with a copy of the books, as somebody with the file and a database shell would."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from stores import USUAL, Stores, Template
from tallybook.errors import StoreError
from tallybook.ledger import GENESIS, Verification, entries, trial_balance, verify
from tallybook.ledger.chain import LINK_FIELDS, POSTING_FIELDS
from tallybook.store import Store
from tampering import Attacked, head_of, kinds

NOW_US = 1_790_000_000_000_000
LINKS = 9
LINKS_MIN = 4
NUMBERS = {"seq", "recorded_us", "line", "policy_version", "amount_nano"}
COLUMNS = [
    *(("chain", name) for name in (*LINK_FIELDS, "hash")),
    *(("posting", name) for name in ("seq", *POSTING_FIELDS)),
]
OF_THE_FILE = pytest.mark.of_the_file
EXAMPLES = 150 if USUAL == "sqlite" else 40
"""To copy a database takes ten times as long as to copy a file."""
PICKED = "(SELECT rowid FROM {0} ORDER BY 1 LIMIT 1 OFFSET :row % (SELECT COUNT(*) FROM {0}))"


def test_good_books_have_no_fault(full_home: Path, good_head: str) -> None:
    with Store(full_home).read() as tx:
        assert verify(tx) == Verification(ok=True, entries=5, head=good_head, faults=())
        hashes = [row.hash for row in tx.rows("SELECT hash FROM chain")]
        assert len(hashes) == LINKS
        assert all(verify(tx, printed).ok for printed in hashes)


def test_empty_books_have_no_fault(store: Store) -> None:
    with store.read() as tx:
        assert verify(tx) == Verification(ok=True, entries=0, head=GENESIS, faults=())
        assert verify(tx, GENESIS).ok
        assert kinds(verify(tx, "ab" * 32)) == {"head"}


COPY_LINK = (
    "INSERT INTO chain SELECT {new}, 'E-00000{new}', kind, reason, period, service_period,"
    " recorded_us, actor, text, versions, corrects, details, hash, '{hash}' FROM chain"
    " WHERE seq = 1"
)
COPY_POSTINGS = (
    "INSERT INTO posting SELECT {new}, line, account, team, feature, purpose, kind, provider,"
    " service, detail, source, service_period, price_version, policy_version, amount_nano"
    " FROM posting WHERE seq = 1"
)


@pytest.mark.parametrize(
    ("statements", "kind", "where"),
    [
        (["UPDATE chain SET text = 'x' WHERE seq = 7"], "hash", "link 7 (E-000007)"),
        (["UPDATE chain SET actor = 'eve' WHERE seq = 4"], "hash", "link 4 (A-000004)"),
        (["UPDATE chain SET details = '{ }' WHERE seq = 1"], "hash", "link 1 (E-000001)"),
        (["UPDATE chain SET hash = 'ab' WHERE seq = 5"], "link", "link 6 (A-000006) names"),
        (["UPDATE posting SET team = 'x' WHERE seq = 5 AND line = 2"], "hash", "link 5"),
        (["UPDATE posting SET amount_nano = 501 WHERE seq = 1 AND line = 1"], "balance", "sum 1 "),
        (["DELETE FROM posting WHERE seq = 2"], "balance", "link 2 (E-000002): 0 postings"),
        (["UPDATE posting SET seq = 77 WHERE seq = 2"], "orphan", "link 77"),
        (["DELETE FROM chain WHERE seq = 1"], "sequence", "link 2 (E-000002) follows link 0"),
        (["DELETE FROM chain WHERE seq = 4"], "sequence", "link 5 (E-000005) follows link 3"),
        (["DELETE FROM chain WHERE seq = 9"], "orphan", "postings of link 9"),
        (["UPDATE chain SET id = 'E-000099' WHERE seq = 2"], "id", "link 2 (E-000099)"),
        (["UPDATE chain SET kind = 'act' WHERE seq = 2"], "balance", "is an act with 2 postings"),
        (["UPDATE chain SET reason = 'signoff' WHERE seq = 6"], "period", "link 7 (E-000007)"),
        (["UPDATE chain SET details = 'x' WHERE seq = 4"], "head", "link 4 (A-000004)"),
        pytest.param(
            ["UPDATE chain SET text = x'00' WHERE seq = 7"],
            "unreadable",
            "text is a bytes",
            marks=OF_THE_FILE,
        ),
        pytest.param(
            ["UPDATE posting SET amount_nano = 'x' WHERE seq = 9"],
            "unreadable",
            "link 9",
            marks=OF_THE_FILE,
        ),
        (
            ["UPDATE posting SET amount_nano = 9223372036854775807 WHERE seq = 9"],
            "balance",
            "link 9",
        ),
        (
            [COPY_POSTINGS.format(new=-1), COPY_LINK.format(new=-1, hash="ab")],
            "sequence",
            "link -1",
        ),
        (["UPDATE posting SET seq = -5 WHERE seq = 2"], "orphan", "link -5"),
        pytest.param(
            ["UPDATE posting SET seq = 1.5 WHERE seq = 2"], "orphan", "link 1.5", marks=OF_THE_FILE
        ),
        ([COPY_POSTINGS.format(new=10), COPY_LINK.format(new=10, hash="ab")], "link", "link 10"),
        (
            [
                "UPDATE chain SET seq = -1 WHERE seq = 3",
                "UPDATE chain SET seq = 3 WHERE seq = 4",
                "UPDATE chain SET seq = 4 WHERE seq = -1",
            ],
            "link",
            "link 3 (A-000004)",
        ),
        (
            [
                "UPDATE posting SET line = 0 WHERE seq = 9 AND line = 1",
                "UPDATE posting SET line = 1 WHERE seq = 9 AND line = 2",
                "UPDATE posting SET line = 2 WHERE seq = 9 AND line = 0",
            ],
            "hash",
            "link 9",
        ),
        (
            [
                "UPDATE posting SET seq = 77 WHERE seq = 1",
                "UPDATE posting SET seq = 1 WHERE seq = 9",
                "UPDATE posting SET seq = 9 WHERE seq = 77",
            ],
            "hash",
            "link 1",
        ),
    ],
)
@pytest.mark.both_stores
def test_each_kind_of_tampering_is_named_with_its_place(
    attacked: Attacked, statements: list[str], kind: str, where: str
) -> None:
    assert attacked.run(*statements)
    found = attacked.verify()
    assert not found.ok
    assert any(fault.kind == kind and where in fault.where for fault in found.faults), found


def test_a_change_with_its_hash_made_anew_breaks_the_next_link(attacked: Attacked) -> None:
    attacked.run("UPDATE chain SET text = 'x' WHERE seq = 5")
    attacked.rehash(5)
    assert kinds(attacked.verify()) == {"link"}


def test_a_chain_made_anew_up_to_a_close_breaks_what_the_close_keeps(attacked: Attacked) -> None:
    attacked.run("UPDATE chain SET text = 'x' WHERE seq = 7")
    attacked.rehash(7)
    attacked.run(
        "UPDATE chain SET prev_hash = (SELECT hash FROM chain WHERE seq = 7) WHERE seq = 8"
    )
    attacked.rehash(8)
    assert kinds(attacked.verify()) == {"head", "link"}


def test_the_newest_link_made_anew_is_seen_against_a_printed_head(
    attacked: Attacked, good_head: str
) -> None:
    attacked.run("UPDATE chain SET text = 'x' WHERE seq = 9")
    attacked.rehash(9)
    assert attacked.verify().ok
    assert kinds(attacked.verify(good_head)) == {"head"}


@pytest.mark.parametrize("kept", range(LINKS))
def test_truncation_is_seen_against_a_printed_head(
    attacked: Attacked, good_head: str, kept: int
) -> None:
    attacked.run(f"DELETE FROM chain WHERE seq > {kept}", f"DELETE FROM posting WHERE seq > {kept}")
    assert attacked.verify().ok
    found = attacked.verify(good_head)
    assert kinds(found) == {"head"}
    assert good_head in found.faults[0].where


def test_a_printed_head_cannot_be_pasted_onto_another_link(
    attacked: Attacked, good_head: str
) -> None:
    attacked.run(
        "DELETE FROM chain WHERE seq > 7",
        "DELETE FROM posting WHERE seq > 7",
        f"UPDATE chain SET hash = '{good_head}' WHERE seq = 7",
    )
    assert kinds(attacked.verify(good_head)) == {"hash", "head"}


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    column=st.sampled_from(COLUMNS),
    row=st.integers(0, 50),
    number=st.integers(-(2**63), 2**63 - 1),
    words=st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8),
    strange=st.sampled_from([None, None, b"x", 1.5]),
)
@example(column=("chain", "hash"), row=8, number=0, words="", strange=None)
@example(column=("chain", "seq"), row=8, number=10, words="", strange=None)
@example(column=("posting", "line"), row=0, number=10, words="", strange=None)
def test_any_changed_field_is_found(
    *,
    tmp_path_factory: pytest.TempPathFactory,
    full_books: Template,
    column: tuple[str, str],
    row: int,
    number: int,
    words: str,
    strange: object,
) -> None:
    table, name = column
    value = strange or (number if name in NUMBERS else words)
    change = f"UPDATE {table} SET {name} = :value WHERE rowid = {PICKED.format(table)}"
    with closing(Stores()) as stores:
        copy = Attacked(full_books.home(), tmp_path_factory.mktemp("flip") / "copy", stores)
        assume(copy.run(change, row=row, value=value))
        assert not copy.verify().ok


@settings(max_examples=40, deadline=None)
@given(table=st.sampled_from(["chain", "posting"]), row=st.integers(0, 50), tidy=st.booleans())
def test_any_deleted_row_is_found(
    *,
    tmp_path_factory: pytest.TempPathFactory,
    full_books: Template,
    table: str,
    row: int,
    tidy: bool,
) -> None:
    home = full_books.home()
    with closing(Stores()) as stores:
        copy = Attacked(home, tmp_path_factory.mktemp("cut") / "copy", stores)
        assert copy.run(f"DELETE FROM {table} WHERE rowid = {PICKED.format(table)}", row=row)
        if tidy:
            copy.run("DELETE FROM posting WHERE seq NOT IN (SELECT seq FROM chain)")
        assert not copy.verify(head_of(home)).ok


@pytest.fixture(scope="module")
def written_offsets(full_books: Template) -> list[int]:
    """Where the bytes of the two tables are in the file, empty space left out."""
    home = full_books.home("sqlite")
    held = (home / "book.sqlite").read_bytes()
    page_bytes = int.from_bytes(held[16:18], "big")
    with Store(home).read() as tx:
        marks = [row.hash.encode() for row in tx.rows("SELECT hash FROM chain")] + [b"Accrued:x"]
    return [
        start + place
        for start in range(0, len(held), page_bytes)
        if any(mark in held[start : start + page_bytes] for mark in marks)
        for place, byte in enumerate(held[start : start + page_bytes])
        if byte
    ]


@OF_THE_FILE
@settings(max_examples=150, deadline=None)
@given(place=st.integers(0, 2**20), flip=st.integers(1, 255))
def test_any_flipped_byte_that_changes_what_is_read_is_found(
    *,
    tmp_path_factory: pytest.TempPathFactory,
    full_books: Template,
    written_offsets: list[int],
    place: int,
    flip: int,
) -> None:
    good, home = full_books.home("sqlite"), tmp_path_factory.mktemp("byte") / "copy"
    shutil.copytree(good, home)
    book = home / "book.sqlite"
    held = bytearray(book.read_bytes())
    held[written_offsets[place % len(written_offsets)]] ^= flip
    book.write_bytes(held)
    assume(_read(home) != _read(good))
    try:
        with closing(Store(home)) as store, store.read() as tx:
            found = verify(tx)
    except (StoreError, UnicodeDecodeError):
        # Damage below the tables: the driver stops; its message may quote the damaged bytes.
        return
    assert not found.ok


def _read(home: Path) -> object:
    try:
        with closing(Store(home)) as store, store.read() as tx:
            return list(entries(tx)), trial_balance(tx)
    except (StoreError, ValueError, TypeError) as fault:
        return str(fault)
