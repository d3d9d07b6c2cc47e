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

from tallybook.ledger import Verification, head, verify
from tallybook.ledger.abreast import walked_abreast
from tallybook.ledger.chain import LINK_FIELDS, POSTING_FIELDS, link_hash
from tallybook.store import Store

LINKS_MIN = 4


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


def kinds(found: Verification) -> set[str]:
    assert found.ok is (not found.faults)
    return {fault.kind for fault in found.faults}
