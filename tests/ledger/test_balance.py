"""Balances as folds of the postings."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallybook.ledger import (
    Entry,
    Posting,
    PostingKey,
    Reason,
    TrialRow,
    append_entry,
    balances,
    booked,
    trial_balance,
)
from tallybook.ledger.balance import booked_into, posting_periods
from tallybook.store import Store

pytestmark = pytest.mark.both_stores

NOW_US = 1_790_000_000_000_000
PERIODS = ("2026-09", "2026-10", "2026-11")
ACCOUNTS = ("Cost:x", "Cost:y", "Accrued:x", "Charge:a:usage")


def test_a_trial_balance_opens_moves_and_closes(store: Store, make_entry) -> None:
    with store.write() as tx:
        append_entry(tx, make_entry(100, period="2026-09"), "run", NOW_US)
        append_entry(tx, make_entry(30, -10, period="2026-10"), "run", NOW_US)
        append_entry(tx, make_entry(5, period="2026-11"), "run", NOW_US)
        rows = trial_balance(tx, "2026-10")
        assert rows == [
            TrialRow("Accrued:x", "", "", -100, 0, 20, -120),
            TrialRow("Cost:x", "", "", 100, 30, 10, 120),
        ]
        assert trial_balance(tx) == [
            TrialRow("Accrued:x", "", "", 0, 0, 125, -125),
            TrialRow("Cost:x", "", "", 0, 135, 10, 125),
        ]
        assert trial_balance(tx, "2026-08") == []
        assert [row.closing_nano for row in trial_balance(tx, "2027-01")] == [-125, 125]


def test_balances_of_a_period_and_up_to_it(store: Store, make_entry) -> None:
    with store.write() as tx:
        append_entry(tx, make_entry(100, period="2026-09"), "run", NOW_US)
        append_entry(tx, make_entry(-100, period="2026-10"), "run", NOW_US)
        assert balances(tx, "2026-10") == [
            ("Accrued:x", "", "", 100),
            ("Cost:x", "", "", -100),
        ]
        assert balances(tx, "2026-10", upto=True) == []
        assert balances(tx, "2026-09", upto=True) == balances(tx, "2026-09")
        assert balances(tx) == []


def test_what_posted_into_a_period_and_where_a_service_period_was_posted(
    store: Store, make_entry
) -> None:
    september = {"service_period": "2026-09"}
    with store.write() as tx:
        append_entry(tx, make_entry(100, period="2026-09", **september), "run", NOW_US)
        append_entry(tx, make_entry(30, period="2026-11", **september), "run", NOW_US)
        append_entry(tx, make_entry(7, 5, period="2026-11"), "run", NOW_US)
        into = booked_into(tx, "2026-11")
        cost = {k: nano for k, nano in into.items() if k.account == "Cost:x"}
        assert {(k.source, k.service_period): nano for k, nano in cost.items()} == {
            ("meter:0", "2026-09"): 30,
            ("meter:0", "2026-10"): 7,
            ("meter:1", "2026-10"): 5,
        }
        assert sum(into.values()) == 0
        assert all(isinstance(key, PostingKey) for key in into)
        assert booked_into(tx, "2026-10") == {}
        assert posting_periods(tx, "2026-09") == ["2026-09", "2026-11"]
        assert posting_periods(tx, "2026-10") == ["2026-11"]
        assert posting_periods(tx, "2026-12") == []


def test_memo_rows_are_told_apart_and_balance_alone(store: Store) -> None:
    postings = (
        Posting("Memo:Shown:a", 775, team="a"),
        Posting("Memo:Contra", -775),
        Posting("Cost:x", 3),
        Posting("Accrued:x", -3),
    )
    with store.write() as tx:
        append_entry(tx, Entry(Reason.MEMO, "2026-10", "2026-10", "shown", postings), "run", NOW_US)
        rows = trial_balance(tx, "2026-10")
    for memo, accounts in (
        (True, ["Memo:Contra", "Memo:Shown:a"]),
        (False, ["Accrued:x", "Cost:x"]),
    ):
        assert [row.account for row in rows if row.memo is memo] == accounts
        assert sum(row.closing_nano for row in rows if row.memo is memo) == 0


def test_booked_is_by_service_period_and_whole_key(store: Store) -> None:
    key = PostingKey("Cost:x", "a", "f", "p", "k", "v", "s", "d", "meter:v", "2026-09", "1.1", 4)
    other = key._replace(price_version="1.2")
    clearing = Posting("Accrued:x", -12, service_period="2026-09")
    with store.write() as tx:
        for period, postings in (
            ("2026-10", (Posting.of(key, 5), Posting.of(other, 7), clearing)),
            ("2026-11", (Posting.of(key, 5), Posting.of(other, -7), Posting("Accrued:x", 2))),
        ):
            append_entry(tx, Entry(Reason.METER, period, "2026-11", "t", postings), "run", NOW_US)
        assert booked(tx, "2026-09") == {key: 10, clearing.key: -12}
        assert booked(tx, "2026-11") == {Posting("Accrued:x", 1, service_period="2026-11").key: 2}
        assert booked(tx, "2026-10") == {}
        assert booked(tx, "2026-09", family="Cost:") == {key: 10}
        assert booked(tx, "2026-09", family="Cost:%") == booked(tx, "2026-09", family="cost:") == {}
        assert booked(tx, "2026-09", team="") == {clearing.key: -12}
        assert booked(tx, "2026-09", family="Accrued:x", team="a") == {}


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(PERIODS),
            st.sampled_from(PERIODS),
            st.lists(
                st.tuples(
                    st.sampled_from(ACCOUNTS),
                    st.sampled_from(("", "a", "b")),
                    st.integers(-(10**17), 10**17).filter(bool),
                ),
                min_size=1,
                max_size=5,
            ).filter(lambda lines: sum(line[2] for line in lines) != 0),
        ),
        max_size=6,
    )
)
def test_sql_folds_as_python_does(tmp_path_factory: pytest.TempPathFactory, made: list) -> None:
    home: Path = tmp_path_factory.mktemp("fold") / "books"
    store = Store.create(home)
    flat = []
    with store.write() as tx:
        for period, service_period, lines in made:
            postings = [Posting(account, nano, team=team) for account, team, nano in lines]
            postings.append(Posting("Clearing:rest", -sum(line[2] for line in lines)))
            entry = Entry(Reason.METER, period, service_period, "t", tuple(postings))
            append_entry(tx, entry, "run", NOW_US)
            flat += [(period, posting) for posting in entry.postings]
    with store.read() as tx:
        for period in PERIODS:
            _agrees(trial_balance(tx, period), flat, period)
            expected: dict[PostingKey, int] = {}
            for _, posting in flat:
                if posting.service_period == period:
                    expected[posting.key] = expected.get(posting.key, 0) + posting.amount_nano
            assert booked(tx, period) == {key: nano for key, nano in expected.items() if nano}
    store.close()


def _agrees(rows: list[TrialRow], flat: list[tuple[str, Posting]], period: str) -> None:
    assert sum(row.closing_nano for row in rows) == 0
    assert sum(row.debit_nano for row in rows) == sum(row.credit_nano for row in rows)
    expected: dict[tuple[str, str, str], list[int]] = {}
    for posted, posting in flat:
        if posted <= period:
            key = (posting.account, posting.team, posting.feature)
            sums = expected.setdefault(key, [0, 0, 0])
            column = 0 if posted < period else 1 if posting.amount_nano > 0 else 2
            sums[column] += -posting.amount_nano if column == 2 else posting.amount_nano
    assert rows == [
        TrialRow(*key, opening, debit, credit, opening + debit - credit)
        for key, (opening, debit, credit) in sorted(expected.items())
        if opening or debit or credit
    ]
