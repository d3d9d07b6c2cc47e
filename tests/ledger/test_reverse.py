"""Reversal: exact negation, once (INV-03)."""

from __future__ import annotations

import pytest

from tallybook.errors import LedgerError, StoreError
from tallybook.ledger import (
    Act,
    ActKind,
    Reason,
    append_act,
    append_entry,
    balances,
    booked,
    entry_of,
    reverse,
)
from tallybook.store import Store, Tx

pytestmark = pytest.mark.both_stores

NOW_US = 1_790_000_000_000_000


def test_balances_are_as_if_the_entry_had_never_been(store: Store, make_entry) -> None:
    with store.write() as tx:
        append_entry(tx, make_entry(3, 4), "run", NOW_US)
        before = (balances(tx), balances(tx, "2026-10"), booked(tx, "2026-10"))
        link = append_entry(tx, make_entry(100, -7, versions={"policy": 3}), "run", NOW_US)
        back = reverse(tx, link.id, "dana", "counted twice", NOW_US + 1)
        assert (balances(tx), balances(tx, "2026-10"), booked(tx, "2026-10")) == before
        original, reversal = entry_of(tx, link.id), entry_of(tx, back.id)
    assert reversal.reason is Reason.REVERSAL
    assert (reversal.corrects, reversal.text, reversal.actor) == (link.id, "counted twice", "dana")
    assert reversal.versions == {"policy": 3}
    assert [(p.key, -p.amount_nano) for p in reversal.postings] == [
        (p.key, p.amount_nano) for p in original.postings
    ]


def test_a_second_reversal_names_the_first(store: Store, make_entry) -> None:
    with store.write() as tx:
        link = append_entry(tx, make_entry(5), "run", NOW_US)
        reverse(tx, link.id, "dana", "wrong", NOW_US)
    with pytest.raises(LedgerError) as refusal, store.write() as tx:
        reverse(tx, link.id, "eve", "wrong", NOW_US + 1)
    assert "E-000001 was reversed before: by E-000002 in 2026-10, by dana" in refusal.value.what
    with store.read() as tx:
        assert tx.scalar("SELECT COUNT(*) FROM chain") == 2


def test_the_database_too_refuses_a_second_reversal(store: Store, make_entry) -> None:
    with store.write() as tx:
        link = append_entry(tx, make_entry(5), "run", NOW_US)
        reverse(tx, link.id, "dana", "wrong", NOW_US)
    with pytest.raises(StoreError, match=r"(?i)unique"), store.write() as tx:
        _copy_reversal(tx)


def test_a_reversal_can_be_reversed_once(store: Store, make_entry) -> None:
    with store.write() as tx:
        link = append_entry(tx, make_entry(5), "run", NOW_US)
        before = balances(tx)
        back = reverse(tx, link.id, "dana", "wrong", NOW_US)
        assert balances(tx) == []
        reverse(tx, back.id, "dana", "right after all", NOW_US)
        assert balances(tx) == before


def test_of_a_closed_period_it_posts_into_the_next_open_one(store: Store, make_entry) -> None:
    with store.write() as tx:
        link = append_entry(
            tx, make_entry(5, period="2026-11", service_period="2026-10"), "run", NOW_US
        )
        for period in ("2026-11", "2026-12"):
            append_act(tx, Act(ActKind.CLOSE, period, "t"), "dana", NOW_US)
        back = entry_of(tx, reverse(tx, link.id, "dana", "wrong", NOW_US).id)
        assert (back.period, back.service_period) == ("2027-01", "2026-10")
        assert booked(tx, "2026-10") == {}
        assert balances(tx, "2026-11") != []


def test_only_entries_are_reversed(store: Store) -> None:
    with store.write() as tx:
        act = append_act(tx, Act(ActKind.SIGNOFF, "", "t"), "dana", NOW_US)
        with pytest.raises(LedgerError, match="A-000001 is an act"):
            reverse(tx, act.id, "dana", "t", NOW_US)
        with pytest.raises(LedgerError, match="E-000009 is not in the journal"):
            reverse(tx, "E-000009", "dana", "t", NOW_US)


def _copy_reversal(tx: Tx) -> None:
    tx.run(
        "INSERT INTO posting SELECT 3, line, account, team, feature, purpose, kind, provider,"
        " service, detail, source, service_period, price_version, policy_version, amount_nano"
        " FROM posting WHERE seq = 2"
    )
    tx.run(
        "INSERT INTO chain SELECT 3, 'E-000003', kind, reason, period, service_period,"
        " recorded_us, actor, text, versions, corrects, details, hash, 'x' FROM chain"
        " WHERE seq = 2"
    )
