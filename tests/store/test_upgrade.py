"""Books of the first release come to this one: copied first, whole, and with every hash kept."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from tallybook.cli.app import App
from tallybook.cli.main import cli
from tallybook.errors import CorruptedError, StoreError
from tallybook.ledger import Verification, verify
from tallybook.store import Store
from tallybook.store.engine import BOOK, HEAD
from tallybook.store.upgrade import upgrade

FIRST = Path(__file__).parent / "first_release"
SEAL = "17030747f67d65e540bc6dd0b1e69a3bff79d870075c9fe94f5b581ed3a0cf75"
"""The head of their chain: the hash of the act of closing, as statements print it."""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Two calls, a run and a close, as the first release wrote them."""
    home = tmp_path / "acme"
    shutil.copytree(FIRST / "lake", home / "lake")
    with closing(sqlite3.connect(home / BOOK)) as book:
        book.executescript((FIRST / "book.sql").read_text(encoding="utf-8"))
    return home


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as book:
        return list(book.iterdump())


def schema(path: Path) -> dict[str, str]:
    with closing(sqlite3.connect(path)) as book:
        rows = book.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        return {name: " ".join(sql.split()) for name, sql in rows}


def call(home: Path, *args: str) -> object:
    done = CliRunner().invoke(cli, [*args, "--json"], obj=App(home, "tester"))
    assert done.exit_code == 0, (done.output, done.exception)
    return json.loads(done.stdout)


def test_old_books_are_refused_with_the_command_that_helps(home: Path) -> None:
    with pytest.raises(CorruptedError, match="tallybook upgrade") as told:
        Store.open(home)
    assert "version '0001'" in str(told.value)


def test_an_upgrade_keeps_a_copy_the_chain_and_every_row(home: Path, tmp_path: Path) -> None:
    before = dump(home / BOOK)
    done = upgrade(home)
    assert (done.before, done.after) == ("0001", HEAD)
    assert [number for number, _ in done.steps] == [f"{n:04}" for n in range(2, int(HEAD) + 1)]
    assert all(what.endswith(".") for _, what in done.steps)
    assert done.backup == home / "book-0001.sqlite"
    assert dump(done.backup) == before
    rows = {line for line in before if line.startswith("INSERT INTO") and "alembic" not in line}
    lost = rows - set(dump(home / BOOK))
    assert {line.partition("VALUES")[0] for line in lost} == {'INSERT INTO "sealed_file" '}
    Store.create(tmp_path / "new").close()
    assert schema(home / BOOK) == schema(tmp_path / "new" / BOOK)
    with Store.open(home).read() as tx:
        found = verify(tx)
    assert found == Verification(ok=True, entries=12, head=SEAL, faults=())


def test_upgraded_books_pass_every_check_and_go_on(home: Path, tmp_path: Path) -> None:
    call(home, "upgrade", str(home))
    assert call(home, "verify")["ok"]
    assert all(check["ok"] for check in call(home, "check")["checks"])
    event = {
        "event_id": "3", "source": "gateway", "started_at": "2026-11-04T10:00:00Z",
        "provider": "openai", "model": "gpt-4o", "feature": "site-search",
        "tokens": {"input_uncached": 900, "output": 120},
    }  # fmt: skip
    (tmp_path / "more.jsonl").write_text(json.dumps(event), encoding="utf-8")
    assert call(home, "ingest", "jsonl", str(tmp_path / "more.jsonl"))["accepted"] == 1
    assert call(home, "run", "2026-11")["events"] == 1
    assert call(home, "verify")["ok"]


def test_the_command_log_tells_of_an_upgrade_and_of_the_way_back(home: Path) -> None:
    for to in (HEAD, "0001", HEAD):
        call(home, "upgrade", str(home), "--to", to)
    with closing(Store.open(home)) as store, store.read() as tx:
        rows = tx.rows("SELECT outcome, actor FROM command WHERE name = 'upgrade' ORDER BY seq")
    there, back = f"schema 0001 to {HEAD}", f"schema {HEAD} to 0001"
    assert [tuple(row) for row in rows] == [(one, "tester") for one in (there, back, there)]


def test_a_second_upgrade_does_nothing(home: Path) -> None:
    upgrade(home)
    before = dump(home / BOOK)
    told = call(home, "upgrade", str(home))
    assert told == {"before": HEAD, "after": HEAD, "steps": [], "backup": None}
    assert dump(home / BOOK) == before
    assert {path.name for path in home.glob("*.sqlite")} == {BOOK, "book-0001.sqlite"}


@pytest.mark.parametrize("point", ["upgrade.kept", "upgrade.migrated"])
def test_a_death_leaves_the_old_books_or_the_new(
    home: Path, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    def die(reached: str) -> None:
        if reached == point:
            raise KeyboardInterrupt

    before = dump(home / BOOK)
    with monkeypatch.context() as patch:
        patch.setattr("tallybook.store.faults.reached", die)
        with pytest.raises(KeyboardInterrupt):
            upgrade(home)
    if point == "upgrade.kept":
        assert dump(home / BOOK) == before
        again = upgrade(home)
        assert again.backup == home / "book-0001-2.sqlite"
        assert dump(again.backup) == before
    assert upgrade(home).steps == ()
    Store.open(home).close()


def test_books_of_a_later_release_are_left_alone(home: Path) -> None:
    with closing(sqlite3.connect(home / BOOK)) as book:
        book.execute("UPDATE alembic_version SET version_num = '9999'")
        book.commit()
    with pytest.raises(CorruptedError, match="this release knows 0001 to"):
        upgrade(home)
    assert not list(home.glob("book-*"))


def test_a_folder_without_books_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no books here"):
        upgrade(tmp_path)
    assert not list(tmp_path.iterdir())
