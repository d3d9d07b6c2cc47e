"""Appending entries and acts, and the triggers behind them (INV-01, INV-03, INV-04)."""

from __future__ import annotations

import time

import pytest

from tallybook.errors import LedgerError, PeriodError, StoreError
from tallybook.ledger import (
    GENESIS,
    Act,
    ActKind,
    Entry,
    Posting,
    Reason,
    append_act,
    append_entry,
    entry_of,
    head,
    last_act,
    verify,
)
from tallybook.store import Store

pytestmark = pytest.mark.both_stores

NOW_US = 1_790_000_000_000_000
CLOSE = Act(ActKind.CLOSE, "2026-10", "month end")


def test_links_are_numbered_and_chained(store: Store, make_entry) -> None:
    with store.write() as tx:
        assert head(tx).hash == GENESIS
        first = append_entry(tx, make_entry(5), "run", NOW_US)
        second = append_act(tx, Act(ActKind.SIGNOFF, "", "ok"), "dana", NOW_US)
        third = append_entry(tx, make_entry(6), "run", NOW_US)
    assert [link.id for link in (first, second, third)] == ["E-000001", "A-000002", "E-000003"]
    with store.read() as tx:
        assert head(tx) == third
        assert [row.prev_hash for row in tx.rows("SELECT prev_hash FROM chain ORDER BY seq")] == [
            GENESIS,
            first.hash,
            second.hash,
        ]


def test_an_act_is_about_its_period_and_corrects_nothing(store: Store) -> None:
    with store.write() as tx:
        append_act(tx, Act(ActKind.WAIVER, "2026-10", "small"), "dana", NOW_US)
        row = tx.row("SELECT period, service_period, corrects FROM chain")
    assert row is not None
    assert tuple(row) == ("2026-10", "", "")


def test_everything_written_is_read_back(store: Store) -> None:
    dims = [
        "team",
        "feature",
        "purpose",
        "kind",
        "provider",
        "service",
        "detail",
        "source",
        "price_version",
    ]
    posting = Posting("Cost:x", 9, **{name: f"{name} é" for name in dims}, policy_version=7)  # type: ignore[arg-type]
    entry = Entry(
        Reason.ADJUSTMENT,
        "2026-11",
        "2026-10",
        "late “calls”",
        (posting, Posting("Accrued:x", -9, service_period="2026-09")),
        {"policy": 7, "prices": "2026-10-01.3"},
        "S-2026-09-support",
        {"lines": [1, 2], "note": None},
    )
    with store.write() as tx:
        link = append_entry(tx, entry, "dana", NOW_US)
    with store.read() as tx:
        read = entry_of(tx, link.id)
    for name in (
        "reason",
        "period",
        "service_period",
        "text",
        "postings",
        "versions",
        "corrects",
        "details",
    ):
        assert getattr(read, name) == getattr(entry, name)
    assert (read.actor, read.recorded_us, read.hash) == ("dana", NOW_US, link.hash)


def test_a_closed_period_says_who_closed_it_and_what_to_do(store: Store, make_entry) -> None:
    with store.write() as tx:
        append_act(tx, CLOSE, "dana", NOW_US)
    with pytest.raises(PeriodError) as refusal, store.write() as tx:
        append_entry(tx, make_entry(5), "run", NOW_US + 1)
    said = str(refusal.value)
    assert "2026-10 was closed by dana at 2026-09-21T14:13:20.000Z (A-000001)" in said
    assert "(meter: usage)" in said
    assert "tallybook reopen 2026-10" in said
    with store.write() as tx:
        append_entry(tx, make_entry(5, period="2026-11"), "run", NOW_US + 1)


def test_a_period_is_closed_once_and_reopened_once(store: Store, make_entry) -> None:
    reopen = Act(ActKind.REOPEN, "2026-10", "wrong invoice")
    with pytest.raises(PeriodError, match="is open"), store.write() as tx:
        append_act(tx, reopen, "dana", NOW_US)
    with store.write() as tx:
        append_act(tx, CLOSE, "dana", NOW_US)
    with pytest.raises(PeriodError, match="cannot be closed again"), store.write() as tx:
        append_act(tx, CLOSE, "eve", NOW_US)
    with store.write() as tx:
        append_act(tx, reopen, "dana", NOW_US)
        append_entry(tx, make_entry(5), "run", NOW_US)
        append_act(tx, CLOSE, "dana", NOW_US)


def test_a_close_keeps_the_link_before_it(store: Store, make_entry) -> None:
    with store.write() as tx:
        before = append_entry(tx, make_entry(5), "run", NOW_US)
        append_act(tx, Act(ActKind.CLOSE, "2026-10", "t", {"waived": []}), "dana", NOW_US)
        close = last_act(tx, "2026-10", ActKind.CLOSE)
    assert close is not None
    assert close.details == {"waived": [], "head": before.hash, "seq": before.seq}


def test_a_close_that_names_another_head_is_refused(store: Store) -> None:
    stale = Act(ActKind.CLOSE, "2026-10", "t", {"head": "ab" * 32, "seq": 4})
    with pytest.raises(LedgerError, match="names link 4 abab"), store.write() as tx:
        append_act(tx, stale, "dana", NOW_US)


def test_a_reversal_is_made_by_reverse_alone(store: Store, make_entry) -> None:
    claimed = make_entry(5, reason=Reason.REVERSAL, corrects="E-000001")
    with pytest.raises(LedgerError, match="says it reverses E-000001"), store.write() as tx:
        append_entry(tx, claimed, "run", NOW_US)


@pytest.mark.parametrize("actor", ["", "  "])
def test_somebody_acts(store: Store, make_entry, actor: str) -> None:
    with pytest.raises(LedgerError, match="nobody"), store.write() as tx:
        append_entry(tx, make_entry(5), actor, NOW_US)
    with pytest.raises(LedgerError, match="nobody"), store.write() as tx:
        append_act(tx, CLOSE, actor, NOW_US)


def test_text_that_is_not_unicode_is_refused_whole(store: Store, make_entry) -> None:
    with pytest.raises(LedgerError, match="not Unicode"), store.write() as tx:
        append_entry(tx, make_entry(5, text="\ud800"), "run", NOW_US)
    with store.read() as tx:
        assert head(tx).seq == 0


@pytest.mark.parametrize("table", ["chain", "posting"])
@pytest.mark.parametrize("change", ["UPDATE {} SET seq = seq + 100", "DELETE FROM {}"])
def test_the_database_refuses_to_change_the_journal(
    store: Store, make_entry, table: str, change: str
) -> None:
    with store.write() as tx:
        append_entry(tx, make_entry(5), "run", NOW_US)
    with pytest.raises(StoreError, match="INV-03"), store.write() as tx:
        tx.run(change.format(table))


@pytest.mark.parametrize("amounts", [[5], [5, -4], [5, 0, -5], []])
def test_the_database_refuses_what_construction_would(store: Store, amounts: list[int]) -> None:
    with pytest.raises(StoreError, match="INV-01"), store.write() as tx:
        _write_raw(tx, amounts)


def test_the_database_refuses_entries_into_closed_periods(store: Store) -> None:
    with store.write() as tx:
        append_act(tx, CLOSE, "dana", NOW_US)
    with pytest.raises(StoreError, match="INV-04"), store.write() as tx:
        _write_raw(tx, [5, -5], seq=2)


def test_the_database_refuses_postings_onto_a_written_entry(store: Store, make_entry) -> None:
    with store.write() as tx:
        append_entry(tx, make_entry(5), "run", NOW_US)
    with pytest.raises(StoreError, match="INV-03"), store.write() as tx:
        _write_raw(tx, [5, -5], seq=1, first_line=3)


def test_a_hundred_thousand_postings_take_seconds(store: Store) -> None:
    half = 50_000
    postings = tuple(
        Posting(f"Charge:t{n % 40}:usage", 1 + n, team=f"t{n % 40}", feature=f"f{n % 900}")
        for n in range(half)
    ) + tuple(Posting(f"Cost:p{n % 9}", -1 - n) for n in range(half))
    begin = time.process_time()
    entry = Entry(Reason.CHARGE, "2026-10", "2026-10", "run", postings)
    with store.write() as tx:
        append_entry(tx, entry, "run", NOW_US)
    spent_s = time.process_time() - begin
    with store.read() as tx:
        assert verify(tx).ok
    # Twice what a slow, busy machine needs; a row at a time would take many times that.
    assert spent_s < 20


def _write_raw(tx, amounts: list[int], seq: int = 1, first_line: int = 1) -> None:
    for line, nano in enumerate(amounts, first_line):
        tx.run(
            "INSERT INTO posting VALUES (:seq, :line, 'Cost:x', '', '', '', '', '', '', '', '',"
            " '2026-10', '', 0, :nano)",
            seq=seq,
            line=line,
            nano=nano,
        )
    tx.run(
        "INSERT INTO chain VALUES (:seq, 'E-raw', 'entry', 'meter', '2026-10', '2026-10', 1, 'x',"
        " '', '{}', '', '{}', '', '')",
        seq=seq,
    )
