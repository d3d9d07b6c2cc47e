"""The state of periods, and a machine that appends, reverses, closes and reopens at random."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tallybook.errors import LedgerError, PeriodError, StoreError
from tallybook.ledger import (
    Act,
    ActKind,
    Entry,
    Posting,
    Reason,
    acts,
    admits,
    append_act,
    append_entry,
    balances,
    entries,
    head,
    last_act,
    period_state,
    reverse,
    standing_close,
    standing_cutoff,
    trial_balance,
    verify,
)
from tallybook.ledger.model import USAGE_REASONS
from tallybook.store import Store

pytestmark = pytest.mark.both_stores

NOW_US = 1_790_000_000_000_000
PERIODS = ("2026-09", "2026-10", "2026-11")


def test_a_period_is_open_until_closed_and_after_reopening(store: Store) -> None:
    with store.write() as tx:
        assert period_state(tx, "2026-10") == "open"
        append_act(tx, Act(ActKind.CLOSE, "2026-10", "t"), "dana", NOW_US)
        append_act(tx, Act(ActKind.WAIVER, "2026-10", "t"), "dana", NOW_US)
        assert period_state(tx, "2026-10") == "closed"
        assert period_state(tx, "2026-11") == "open"
        append_act(tx, Act(ActKind.REOPEN, "2026-10", "t"), "dana", NOW_US)
        assert period_state(tx, "2026-10") == "open"
        assert standing_close(tx, "2026-10") is None


def usage(reason: Reason = Reason.METER, period: str = "2026-10") -> Entry:
    postings = (Posting("Cost:x", 5), Posting("Accrued:x", -5))
    return Entry(reason, period, "2026-10", "t", postings)


def test_a_soft_closed_period_takes_finance_entries_only(store: Store) -> None:
    with store.write() as tx:
        first = append_entry(tx, usage(), "run", NOW_US)
        append_act(tx, Act(ActKind.SOFT_CLOSE, "2026-10", "cutoff"), "dana", NOW_US)
        assert period_state(tx, "2026-10") == "soft-closed"
        assert standing_close(tx, "2026-10") is None
        for reason in Reason:
            assert admits(tx, "2026-10", reason) == (reason not in USAGE_REASONS)
            if reason in USAGE_REASONS:
                with pytest.raises(PeriodError, match="takes finance entries only"):
                    append_entry(tx, usage(reason), "run", NOW_US)
        append_entry(tx, usage(Reason.MANUAL), "dana", NOW_US)
        with pytest.raises(PeriodError, match="soft-closed again"):
            append_act(tx, Act(ActKind.SOFT_CLOSE, "2026-10", "twice"), "dana", NOW_US)
        back = reverse(tx, first.id, "dana", "counted twice", NOW_US)
        assert [entry.period for entry in entries(tx) if entry.id == back.id] == ["2026-11"]
        assert verify(tx).ok


def test_the_cutoff_is_the_first_act_since_the_last_reopening(store: Store) -> None:
    with store.write() as tx:
        assert standing_cutoff(tx, "2026-10") is None
        first, second, _, fourth = (
            append_act(tx, Act(kind, "2026-10", "t"), "dana", NOW_US)
            for kind in (ActKind.SOFT_CLOSE, ActKind.CLOSE, ActKind.REOPEN, ActKind.CLOSE)
        )
        cutoff, close = standing_cutoff(tx, "2026-10"), standing_close(tx, "2026-10")
        assert cutoff is not None
        assert close is not None
        assert first.id != second.id
        assert (cutoff.id, close.id) == (fourth.id, fourth.id)
        append_act(tx, Act(ActKind.REOPEN, "2026-10", "t"), "dana", NOW_US)
        soft = append_act(tx, Act(ActKind.SOFT_CLOSE, "2026-10", "t"), "dana", NOW_US)
        append_act(tx, Act(ActKind.CLOSE, "2026-10", "t"), "dana", NOW_US)
        cutoff = standing_cutoff(tx, "2026-10")
        assert cutoff is not None
        assert cutoff.id == soft.id


def test_acts_are_read_back_oldest_first(store: Store) -> None:
    waiver = Act(ActKind.WAIVER, "2026-10", "small", {"limit": "1%"}, {"policy": 7})
    with store.write() as tx:
        link = append_act(tx, waiver, "dana", NOW_US)
        append_act(tx, Act(ActKind.CLOSE, "2026-10", "t"), "dana", NOW_US + 1)
        append_act(tx, Act(ActKind.SIGNOFF, "", "definition"), "pm", NOW_US + 2)
        first, second = acts(tx, "2026-10")
        close = last_act(tx, "2026-10", ActKind.CLOSE)
        assert last_act(tx, "2026-10", ActKind.REOPEN) is None
        assert [act.actor for act in acts(tx, "")] == ["pm"]
    assert (first.seq, first.id, first.hash) == (link.seq, link.id, link.hash)
    assert (first.kind, first.period, first.text, first.actor, first.recorded_us) == (
        ActKind.WAIVER,
        "2026-10",
        "small",
        "dana",
        NOW_US,
    )
    assert (first.details, first.versions) == ({"limit": "1%"}, {"policy": 7})
    assert second == close


class Books(RuleBasedStateMachine):
    """Random books over three periods, closed in order, beside naive ones of dicts.

    Periods close in order and the last closed is reopened first, so that the opening balances of a
    closed period stand still too.
    """

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.store = Store.create(self.folder / "books")
        self.closed: list[str] = []
        self.soft_closed: set[str] = set()
        self.papers: dict[str, str] = {}
        self.live: dict[str, list[Posting]] = {}
        self.gone: set[str] = set()
        self.now_us = NOW_US

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)

    @rule(
        period=st.sampled_from(PERIODS),
        service_period=st.sampled_from(PERIODS),
        amounts=st.lists(st.integers(-(10**15), 10**15).filter(bool), min_size=1, max_size=4),
        team=st.sampled_from(["", "a", "b"]),
        reason=st.sampled_from([Reason.METER, Reason.MANUAL]),
    )
    def append(
        self, period: str, service_period: str, amounts: list[int], team: str, reason: Reason
    ) -> None:
        postings = [
            Posting(sign + ":x", nano, team=team)
            for nano in amounts
            for sign, nano in (("Cost", nano), ("Accrued", -nano))
        ]
        entry = Entry(reason, period, service_period, "usage", tuple(postings))
        refused = period in self.closed or (period in self.soft_closed and reason is Reason.METER)
        before = self._head()
        try:
            with self.store.write() as tx:
                link = append_entry(tx, entry, "run", self._tick())
        except PeriodError:
            assert refused
            assert self._head() == before
        else:
            assert not refused
            self.live[link.id] = postings

    @precondition(lambda self: self.live or self.gone)
    @rule(data=st.data())
    def reverse(self, data: st.DataObject) -> None:
        entry_id = data.draw(st.sampled_from(sorted(self.gone | self.live.keys())))
        before = self._head()
        try:
            with self.store.write() as tx:
                reverse(tx, entry_id, "dana", "wrong", self._tick())
        except LedgerError:
            assert entry_id in self.gone
            assert self._head() == before
        else:
            del self.live[entry_id]
            self.gone.add(entry_id)

    @precondition(lambda self: len(self.closed) < len(PERIODS))
    @rule()
    def close(self) -> None:
        period = PERIODS[len(self.closed)]
        with self.store.write() as tx:
            append_act(tx, Act(ActKind.CLOSE, period, "month end"), "dana", self._tick())
        self.closed.append(period)
        self.papers[period] = self._paper(period)

        self.soft_closed.discard(period)

    @rule(period=st.sampled_from(PERIODS))
    def soft_close(self, period: str) -> None:
        before = self._head()
        try:
            with self.store.write() as tx:
                append_act(tx, Act(ActKind.SOFT_CLOSE, period, "cutoff"), "dana", self._tick())
        except PeriodError:
            assert period in self.closed or period in self.soft_closed
            assert self._head() == before
        else:
            assert period not in self.closed
            self.soft_closed.add(period)

    @precondition(lambda self: self.closed)
    @rule()
    def reopen(self) -> None:
        period = self.closed.pop()
        with self.store.write() as tx:
            append_act(tx, Act(ActKind.REOPEN, period, "wrong"), "dana", self._tick())
        del self.papers[period]

    @precondition(lambda self: self.live)
    @rule(
        change=st.sampled_from(["UPDATE {} SET seq = seq", "DELETE FROM {}"]),
        table=st.sampled_from(["chain", "posting"]),
    )
    def tamper(self, change: str, table: str) -> None:
        with pytest.raises(StoreError, match="INV-03"), self.store.write() as tx:
            tx.run(change.format(table))

    @invariant()
    def inv_01_every_entry_balances(self) -> None:
        with self.store.read() as tx:
            for entry in entries(tx):
                assert sum(posting.amount_nano for posting in entry.postings) == 0
            assert sum(row.closing_nano for row in trial_balance(tx)) == 0

    @invariant()
    def inv_03_balances_are_those_of_the_entries_not_reversed(self) -> None:
        expected: dict[tuple[str, str, str], int] = {}
        for posting in (posting for postings in self.live.values() for posting in postings):
            key = (posting.account, posting.team, "")
            expected[key] = expected.get(key, 0) + posting.amount_nano
        with self.store.read() as tx:
            assert {tuple(row[:3]): row.nano for row in balances(tx)} == {
                key: nano for key, nano in expected.items() if nano
            }

    @invariant()
    def inv_04_closed_periods_stand_still(self) -> None:
        with self.store.read() as tx:
            for period in PERIODS:
                soft = "soft-closed" if period in self.soft_closed else "open"
                assert period_state(tx, period) == ("closed" if period in self.closed else soft)
        assert {period: self._paper(period) for period in self.closed} == self.papers

    @invariant()
    def inv_15_the_chain_verifies(self) -> None:
        with self.store.read() as tx:
            assert verify(tx, head(tx).hash).ok

    def _paper(self, period: str) -> str:
        with self.store.read() as tx:
            return hashlib.sha256(repr(trial_balance(tx, period)).encode()).hexdigest()

    def _head(self) -> str:
        with self.store.read() as tx:
            return head(tx).hash

    def _tick(self) -> int:
        self.now_us += 1
        return self.now_us


TestBooks = Books.TestCase
TestBooks.settings = settings(max_examples=15, stateful_step_count=20, deadline=None)
