"""Documented failures of others in keeping books, by their exhibit numbers."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tallybook.errors import LedgerError, PeriodError, StoreError
from tallybook.ledger import (
    Act,
    ActKind,
    Entry,
    Posting,
    Reason,
    acts,
    append_act,
    append_entry,
    period_state,
    verify,
)
from tallybook.money import parse_units
from tallybook.store import Store

NOW_US = 1_790_000_000_000_000


def nano(text: str) -> int:
    return parse_units(text, 9)


def entry(*postings: Posting) -> Entry:
    return Entry(Reason.ADJUSTMENT, "2026-10", "2026-10", "exhibit", postings)


def test_m06_beancount_assertion_slack() -> None:
    """25.00 against 25.01 passed within a tolerance; here one nano unit is refused too."""
    with pytest.raises(LedgerError, match=r"differ by -0\.010000000"):
        entry(Posting("Cost:x", nano("25.00")), Posting("Accrued:x", -nano("25.01")))
    with pytest.raises(LedgerError, match=r"differ by 0\.000000001"):
        entry(Posting("Cost:x", nano("25.00") + 1), Posting("Accrued:x", -nano("25.00")))


def test_m07_beancount_interpolation() -> None:
    """4.8 + 2.97 and a blank left the books out by 0.03; no posting here can be blank."""
    blank = Posting("Accrued:x", None)  # type: ignore[arg-type]
    with pytest.raises(LedgerError, match="posting 3 on Accrued:x has the amount None"):
        entry(Posting("Cost:x", nano("4.8")), Posting("Cost:y", nano("2.97")), blank)
    with pytest.raises(LedgerError, match=r"differ by 7\.770000000"):
        entry(Posting("Cost:x", nano("4.8")), Posting("Cost:y", nano("2.97")))


def test_m15_gnucash_close_undone_by_deletion(tmp_path: Path) -> None:
    """Deleting the closing entry opened the period again, and nothing showed it."""
    home = tmp_path / "books"
    store = Store.create(home)
    booked = entry(Posting("Cost:x", nano("5")), Posting("Accrued:x", -nano("5")))
    with store.write() as tx:
        append_entry(tx, booked, "run", NOW_US)
        close = append_act(tx, Act(ActKind.CLOSE, "2026-10", "month end"), "dana", NOW_US)

    with pytest.raises(StoreError, match="INV-03"), store.write() as tx:
        tx.run("DELETE FROM chain WHERE id = :id", id=close.id)
    with pytest.raises(PeriodError, match="was closed by dana"), store.write() as tx:
        append_entry(tx, booked, "run", NOW_US)

    with store.write() as tx:
        append_act(tx, Act(ActKind.REOPEN, "2026-10", "invoice was wrong"), "eve", NOW_US + 1)
        assert period_state(tx, "2026-10") == "open"
        assert [(act.kind, act.actor, act.text) for act in acts(tx, "2026-10")] == [
            ("close", "dana", "month end"),
            ("reopen", "eve", "invoice was wrong"),
        ]
    store.close()
    _delete_close_as_an_attacker_would(home, tmp_path / "copy")
    with Store.open(tmp_path / "copy").read() as tx:
        found = verify(tx)
    assert {fault.kind for fault in found.faults} == {"sequence", "link"}


def _delete_close_as_an_attacker_would(home: Path, copy: Path) -> None:
    shutil.copytree(home, copy)
    with closing(sqlite3.connect(copy / "book.sqlite")) as raw:
        raw.execute("DROP TRIGGER chain_no_delete")
        raw.execute("DELETE FROM chain WHERE reason = 'close'")
        raw.commit()
