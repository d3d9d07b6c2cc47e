"""A soft-closed period at the door of the database: finance entries only, whatever code asks."""

import pytest

from tallybook.errors import StoreError
from tallybook.ledger import Act, ActKind, Reason, append_act
from tallybook.ledger.chain import ENTRY, add_link
from tallybook.ledger.model import USAGE_REASONS, Posting
from tallybook.store import Store

pytestmark = pytest.mark.both_stores


@pytest.fixture
def store(new_store):
    books = new_store()
    with books.write() as tx:
        append_act(tx, Act(ActKind.SOFT_CLOSE, "2026-10", "cutoff"), "dana", 1)
    return books


def write(store: Store, reason: Reason, period: str = "2026-10") -> None:
    """Past the ledger's own refusal, as another program would."""
    fields = {
        "reason": str(reason), "period": period, "service_period": period, "recorded_us": 2,
        "actor": "eve", "text": "", "versions": {}, "corrects": "", "details": {},
    }  # fmt: skip
    postings = [Posting("Cost:x", nano, service_period=period) for nano in (5, -5)]
    with store.write() as tx:
        add_link(tx, ENTRY, fields, postings)


def test_usage_is_refused_and_finance_entries_are_not(store):
    for reason in sorted(set(Reason) - {Reason.REVERSAL}):
        if reason in USAGE_REASONS:
            with pytest.raises(StoreError, match=r"soft-closed: finance entries only \(INV-04\)"):
                write(store, reason)
            write(store, reason, "2026-11")
        else:
            write(store, reason)


def test_a_closed_one_takes_neither_and_a_reopened_one_both(store):
    with store.write() as tx:
        append_act(tx, Act(ActKind.CLOSE, "2026-10", "month end"), "dana", 3)
    for reason in (Reason.MANUAL, Reason.METER):
        with pytest.raises(StoreError, match="closed"):
            write(store, reason)
    with store.write() as tx:
        append_act(tx, Act(ActKind.REOPEN, "2026-10", "wrong"), "dana", 4)
    write(store, Reason.METER)
