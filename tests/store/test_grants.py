"""Requests and decisions about budgets: tables that only grow, read up to a number."""

import pytest

from tallybook.books.budgets import Acted
from tallybook.books.model import FOREVER_US
from tallybook.budget.model import Notice
from tallybook.clock import Period
from tallybook.errors import StoreError
from tallybook.store.budget_tables import BUDGET_TABLES
from tallybook.store.grants import acted_of, decisions_upto, denials_of, grants_of, undecided
from tallybook.store.notices import notices_upto, put_notices

OCTOBER = Period(2026, 10)


pytestmark = pytest.mark.both_stores


@pytest.fixture
def store(new_store):
    return new_store()


def ask(tx, period="2026-10"):
    tx.run(
        "INSERT INTO budget_request (kind, scope, subject, period, amount_nano, until_us, reason,"
        " details, actor, at_us) VALUES ('increase', 'feature', 'bot', :period, 50, 0, 'launch',"
        " '{}', 'asker', 1)",
        period=period,
    )


def decide(tx, request, verdict="approved", until_us=0):
    tx.run(
        "INSERT INTO budget_decision (request, verdict, kind, scope, subject, period, amount_nano,"
        " from_us, until_us, reason, details, requested_by, asked_for, actor, at_us) VALUES"
        " (:request, :verdict, 'increase', 'feature', 'bot', '2026-10', 40, 10, :until_us, 'no',"
        " '{}', 'asker', 'launch', 'boss', 10)",
        request=request,
        verdict=verdict,
        until_us=until_us,
    )


def test_grants_and_denials_are_read_up_to_a_number(store):
    with store.write() as tx:
        for _ in range(4):
            ask(tx)
        ask(tx, "2026-11")
        decide(tx, 1)
        decide(tx, 2, "denied")
        decide(tx, 3, until_us=99)
    with store.read() as tx:
        assert [(g.number, g.request, g.amount_nano) for g in grants_of(tx, OCTOBER)] == [
            (1, 1, 40),
            (3, 3, 40),
        ]
        assert [g.until_us for g in grants_of(tx, OCTOBER)] == [FOREVER_US, 99]
        assert [g.number for g in grants_of(tx, OCTOBER, 2)] == [1]
        assert grants_of(tx, OCTOBER, 0) == ()
        assert [(d.number, d.asked_nano, d.reason) for d in denials_of(tx, OCTOBER)] == [
            (2, 50, "no")
        ]
        assert decisions_upto(tx, OCTOBER) == 3
        assert decisions_upto(tx, OCTOBER.next()) == 0
        assert (undecided(tx, OCTOBER), undecided(tx, OCTOBER.next())) == (1, 1)


def test_what_was_done_at_budgets_is_added_up_up_to_a_number(store):
    def notice(name, act, calls=1, budget="feature:bot", period="2026-10"):
        return Notice(
            notice_id=name, at_us=1, period=period, budget=budget, act=act, calls=calls,
            estimate_nano=calls * 5,
        )  # fmt: skip

    with store.write() as tx:
        put_notices(
            tx,
            [
                notice("1", "stop", 3),
                notice("2", "warn"),
                notice("3", "stop", 4),
                notice("4", "throttle", budget="team:a"),
                notice("5", "stop", period="2026-11"),
            ],
        )
    with store.read() as tx:
        assert acted_of(tx, OCTOBER) == (
            Acted("feature:bot", "stop", 7, 35),
            Acted("team:a", "throttle", 1, 5),
        )
        assert acted_of(tx, OCTOBER, 2) == (Acted("feature:bot", "stop", 3, 15),)
        assert notices_upto(tx, OCTOBER) == 4


def test_a_request_is_decided_once(store):
    with store.write() as tx:
        ask(tx)
        decide(tx, 1)
    with pytest.raises(StoreError), store.write() as tx:
        decide(tx, 1, "denied")


@pytest.mark.parametrize("table", [table.name for table in BUDGET_TABLES])
@pytest.mark.parametrize("change", ["UPDATE {} SET reason = 'x'", "DELETE FROM {}"])
def test_what_was_asked_or_decided_is_never_changed(store, table, change):
    with store.write() as tx:
        ask(tx)
        decide(tx, 1)
    with pytest.raises(StoreError, match="append-only"), store.write() as tx:
        tx.run(change.format(table))
