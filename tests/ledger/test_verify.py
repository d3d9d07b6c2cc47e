"""Tampering with a copy of the books, as somebody with the file and a database shell would."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from copy import deepcopy
from pathlib import Path
from types import SimpleNamespace
from typing import Self

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tallybook.errors import StoreError
from tallybook.ledger import (
    GENESIS,
    Verification,
    append_entry,
    entries,
    head,
    trial_balance,
    verify,
)
from tallybook.ledger.abreast import joined, walked_abreast
from tallybook.ledger.chain import LINK_FIELDS, POSTING_FIELDS, link_hash
from tallybook.ledger.walk import Walk
from tallybook.store import Store

NOW_US = 1_790_000_000_000_000
LINKS = 9
LINKS_MIN = 4
NUMBERS = {"seq", "recorded_us", "line", "policy_version", "amount_nano"}
COLUMNS = [
    *(("chain", name) for name in (*LINK_FIELDS, "hash")),
    *(("posting", name) for name in ("seq", *POSTING_FIELDS)),
]
PICKED = "(SELECT rowid FROM {0} ORDER BY 1 LIMIT 1 OFFSET :row % (SELECT COUNT(*) FROM {0}))"


class Attacked:
    """A copy of good books without triggers, changed by raw SQL, then verified."""

    def __init__(self, home: Path, copy: Path) -> None:
        self.home = copy
        shutil.copytree(home, copy, dirs_exist_ok=True)

    def run(self, *statements: str, **params: object) -> bool:
        """Change; False if the database does not take it or nothing changes."""
        with closing(sqlite3.connect(self.home / "book.sqlite")) as raw:
            triggers = raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            for (name,) in triggers.fetchall():
                raw.execute(f"DROP TRIGGER {name}")
            before = self.content(raw)
            try:
                for statement in statements:
                    raw.execute(statement, params)
            except sqlite3.IntegrityError:
                return False
            raw.commit()
            return self.content(raw) != before

    def rehash(self, seq: int) -> None:
        """Give one link the hash that fits its changed content."""
        with closing(sqlite3.connect(self.home / "book.sqlite")) as raw:
            link = raw.execute(f"SELECT {','.join(LINK_FIELDS)} FROM chain WHERE seq = ?", (seq,))
            fields = dict(zip(LINK_FIELDS, link.fetchone(), strict=True))
            columns = ",".join(POSTING_FIELDS)
            lines = raw.execute(f"SELECT {columns} FROM posting WHERE seq = ? ORDER BY 1", (seq,))
            computed = link_hash(fields, lines.fetchall())
            raw.execute("UPDATE chain SET hash = ? WHERE seq = ?", (computed, seq))
            raw.commit()

    @staticmethod
    def content(raw: sqlite3.Connection) -> list[list[tuple[object, ...]]]:
        return [
            raw.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
            for table in ("chain", "posting")
        ]

    def verify(self, expected_head: str = "") -> Verification:
        with Store(self.home).read() as tx, pytest.MonkeyPatch.context() as patch:
            found = verify(tx, expected_head)
            # In windows of any size, and shared out, the same is found.
            patch.setattr("tallybook.ledger.walk.LINKS_AT_ONCE", 2)
            patch.setattr("tallybook.ledger.walk.POSTINGS_AT_ONCE", 3)
            assert verify(tx, expected_head) == found
            patch.setattr("tallybook.ledger.abreast.ProcessPoolExecutor", Inline)
            patch.setattr("tallybook.ledger.abreast.LINKS_EACH", 2)
            assert verify(tx, expected_head, home=self.home, processes=2) == found
            shared = walked_abreast(tx, self.home, expected_head, 2)
            is_good = bool(shared) and (shared.head_found or not expected_head)
            assert is_good == (found.ok and head(tx).seq >= LINKS_MIN)
        return found


class Inline:
    """Does at once what another process would do."""

    def __init__(self, *_: object) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def submit(self, act: Callable[..., object], *given: object) -> SimpleNamespace:
        return SimpleNamespace(result=lambda: act(*deepcopy(given)))


@pytest.fixture
def attacked(full_home: Path, tmp_path: Path) -> Attacked:
    return Attacked(full_home, tmp_path / "copy")


@pytest.fixture(scope="module")
def good_head(full_home: Path) -> str:
    with Store(full_home).read() as tx:
        return head(tx).hash


def kinds(found: Verification) -> set[str]:
    assert found.ok is (not found.faults)
    return {fault.kind for fault in found.faults}


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
        (["UPDATE chain SET text = x'00' WHERE seq = 7"], "unreadable", "text is a bytes"),
        (["UPDATE posting SET amount_nano = 'x' WHERE seq = 9"], "unreadable", "link 9"),
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
        (["UPDATE posting SET seq = 1.5 WHERE seq = 2"], "orphan", "link 1.5"),
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


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("UPDATE posting SET amount_nano = 0", "balance"),
        ("DELETE FROM posting WHERE line > 1 AND seq = 9 OR amount_nano = 0", "balance"),
        ("DELETE FROM posting WHERE line > 2", "balance"),
        ("UPDATE chain SET period = '2026-10'", "period"),
        ("UPDATE chain SET id = 'A-000009'", "id"),
        ("UPDATE chain SET id = 'E-9'", "id"),
        ("UPDATE chain SET kind = 'act', id = 'A-000009'", "balance"),
        ("UPDATE chain SET prev_hash = prev_hash || 'x'", "link"),
        ("UPDATE chain SET prev_hash = substr(prev_hash, 1, 63)", "link"),
        (
            """UPDATE chain SET id = '"id":"E-000009","kind":"entry","period":"2026-11"'""",
            "id",
        ),
    ],
)
def test_what_no_hash_shows_is_found_by_its_rule(
    attacked: Attacked, statement: str, kind: str
) -> None:
    where = "" if "WHERE" in statement else " WHERE seq = 9"
    assert attacked.run(statement + where)
    attacked.rehash(9)
    assert kind in kinds(attacked.verify())


def test_words_that_look_like_keys_and_marks_of_every_kind_verify(store: Store, make_entry) -> None:
    odd = (
        '","id":"E-000001","kind":"entry","period":"2026-10"} ,0] \\ \n \x00 \x1f \x7f \u2028 é 語'
    )
    with store.write() as tx:
        for text in ('"postings":[[1', odd, "plain"):
            append_entry(tx, make_entry(5, text=text, details={odd: odd}), odd, NOW_US)
    assert Attacked(store.home, store.home.parent / "copy").verify().entries == 3


def test_stretches_join_only_where_the_one_began_as_the_other_ended() -> None:
    def walk(seq: int, told: str, *closed: str) -> Walk:
        return Walk(seq, told, entries=3, closed=set(closed), next=seq + 1)

    starts = [Walk(), walk(4, "ab", "2026-09")]
    end = walk(9, "ff")
    assert joined(starts, [walk(4, "ab", "2026-09"), end]) == Walk(9, "ff", 6, next=10)
    for other in (walk(3, "ab", "2026-09"), walk(4, "ac", "2026-09"), walk(4, "ab")):
        assert joined(starts, [other, end]) is None


def test_other_processes_find_the_same(
    full_home: Path, good_head: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tallybook.ledger.abreast.LINKS_EACH", 3)
    with Store(full_home).read() as tx:
        walk = walked_abreast(tx, full_home, good_head, 2)
        assert walk == Walk(9, good_head, 5, head_found=True, closed={"2026-10"}, next=10)


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


def test_a_fold_that_differs_from_the_hashed_postings_is_a_fault(store: Store, make_entry) -> None:
    class Skewed:
        """Answers as the database does, but folds as a damaged index might."""

        def __init__(self, tx: object) -> None:
            self.tx = tx

        def __getattr__(self, name: str) -> object:
            return getattr(self.tx, name)

        def rows(self, statement: str, /, **params: object) -> object:
            skewed = statement.replace("SELECT\n  p.account", "SELECT\n  'Cost:other' AS account")
            return self.tx.rows(skewed, **params)  # type: ignore[attr-defined]

    with store.write() as tx:
        append_entry(tx, make_entry(5), "run", NOW_US)
        assert verify(tx).ok
        assert kinds(verify(Skewed(tx))) == {"fold"}  # type: ignore[arg-type]


@settings(max_examples=150, deadline=None)
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
    full_home: Path,
    column: tuple[str, str],
    row: int,
    number: int,
    words: str,
    strange: object,
) -> None:
    table, name = column
    copy = Attacked(full_home, tmp_path_factory.mktemp("flip") / "copy")
    value = strange or (number if name in NUMBERS else words)
    change = f"UPDATE {table} SET {name} = :value WHERE rowid = {PICKED.format(table)}"
    assume(copy.run(change, row=row, value=value))
    assert not copy.verify().ok


@settings(max_examples=40, deadline=None)
@given(table=st.sampled_from(["chain", "posting"]), row=st.integers(0, 50), tidy=st.booleans())
def test_any_deleted_row_is_found(
    *,
    tmp_path_factory: pytest.TempPathFactory,
    full_home: Path,
    good_head: str,
    table: str,
    row: int,
    tidy: bool,
) -> None:
    copy = Attacked(full_home, tmp_path_factory.mktemp("cut") / "copy")
    assert copy.run(f"DELETE FROM {table} WHERE rowid = {PICKED.format(table)}", row=row)
    if tidy:
        copy.run("DELETE FROM posting WHERE seq NOT IN (SELECT seq FROM chain)")
    assert not copy.verify(good_head).ok


@pytest.fixture(scope="module")
def written_offsets(full_home: Path) -> list[int]:
    """Where the bytes of the two tables are in the file, empty space left out."""
    held = (full_home / "book.sqlite").read_bytes()
    page_bytes = int.from_bytes(held[16:18], "big")
    with Store(full_home).read() as tx:
        marks = [row.hash.encode() for row in tx.rows("SELECT hash FROM chain")] + [b"Accrued:x"]
    return [
        start + place
        for start in range(0, len(held), page_bytes)
        if any(mark in held[start : start + page_bytes] for mark in marks)
        for place, byte in enumerate(held[start : start + page_bytes])
        if byte
    ]


@settings(max_examples=150, deadline=None)
@given(place=st.integers(0, 2**20), flip=st.integers(1, 255))
def test_any_flipped_byte_that_changes_what_is_read_is_found(
    *,
    tmp_path_factory: pytest.TempPathFactory,
    full_home: Path,
    written_offsets: list[int],
    place: int,
    flip: int,
) -> None:
    home = tmp_path_factory.mktemp("byte") / "copy"
    shutil.copytree(full_home, home)
    book = home / "book.sqlite"
    held = bytearray(book.read_bytes())
    held[written_offsets[place % len(written_offsets)]] ^= flip
    book.write_bytes(held)
    assume(_read(home) != _read(full_home))
    try:
        with Store(home).read() as tx:
            found = verify(tx)
    except (StoreError, UnicodeDecodeError):
        # Damage below the tables: the driver stops; its message may quote the damaged bytes.
        return
    assert not found.ok


def _read(home: Path) -> object:
    try:
        with Store(home).read() as tx:
            return list(entries(tx)), trial_balance(tx)
    except (StoreError, ValueError, TypeError) as fault:
        return str(fault)
