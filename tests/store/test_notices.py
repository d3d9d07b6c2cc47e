"""Notices of gateways: kept once, read up to a number, never changed."""

import pytest

from tallybook.budget.model import Notice
from tallybook.clock import Period
from tallybook.errors import StoreError
from tallybook.store.notice_tables import NOTICE_TABLES
from tallybook.store.notices import notices_of, notices_upto, put_notices

OCTOBER = Period(2026, 10)


pytestmark = pytest.mark.both_stores


@pytest.fixture
def store(new_store):
    return new_store()


def notice(name, **changes):
    plain = {"at_us": 5, "period": "2026-10", "budget": "feature:bot", "act": "stop", "calls": 3}
    return Notice(notice_id=name, **{**plain, **changes})


def test_a_notice_that_comes_twice_is_kept_once(store):
    with store.write() as tx:
        assert put_notices(tx, [notice("a"), notice("b", calls=4)]) == 2
    with store.write() as tx:
        assert put_notices(tx, [notice("a", calls=9), notice("c", period="2026-11")]) == 1
    with store.read() as tx:
        assert [(row.notice_id, row.calls) for row in notices_of(tx, OCTOBER)] == [
            ("a", 3),
            ("b", 4),
        ]


def test_what_a_caller_wrote_is_no_reason_to_lose_one(store):
    with store.write() as tx:
        assert put_notices(tx, [notice("a\0", model="gpt\0-4"), notice("a\0", calls=9)]) == 1
        assert put_notices(tx, [notice("a\0"), notice("b")]) == 1
    with store.read() as tx:
        (one, other) = notices_of(tx, OCTOBER)
    assert (one.notice_id, one.model, one.calls) == (
        "a\N{REPLACEMENT CHARACTER}",
        "gpt\N{REPLACEMENT CHARACTER}-4",
        3,
    )
    assert (other.notice_id, other.seq > one.seq) == ("b", True)


def test_what_was_known_at_a_time_can_be_read_again(store):
    with store.write() as tx:
        put_notices(tx, [notice("a")])
        upto = notices_upto(tx, OCTOBER)
    with store.write() as tx:
        put_notices(tx, [notice("b")])
        assert notices_upto(tx, OCTOBER) > upto
        assert [row.notice_id for row in notices_of(tx, OCTOBER, upto)] == ["a"]
        assert notices_upto(tx, Period(2026, 9)) == 0


@pytest.mark.parametrize("table", [table.name for table in NOTICE_TABLES])
@pytest.mark.parametrize("verb", ["UPDATE {} SET calls = 0", "DELETE FROM {}"])
def test_notices_only_grow(store, table, verb):
    with store.write() as tx:
        put_notices(tx, [notice("a")])
    with pytest.raises(StoreError, match="append-only"), store.write() as tx:
        tx.run(verb.format(table))
