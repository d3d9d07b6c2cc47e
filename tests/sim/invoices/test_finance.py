"""A line that is disputed is settled by a rejection, or by an entry in the month after."""

from random import Random

import pytest

from company import usage
from tallybook.clock import Period
from tallybook.close.dispute import disputes
from tallybook.sim.invoices.finance import adjusted, disputed, rejected

OCTOBER = Period.parse("2026-10")


@pytest.fixture
def closed(company):
    company.ingest(usage())
    company.run()
    company.close()
    return company


def test_a_rejection_moves_nothing_and_an_adjusting_entry_credits_the_team(closed):
    store, now_us = closed.store, closed.clock.now_us()
    before = closed.balances()
    disputed(store, OCTOBER, Random(1), "one", now_us)
    rejected(store, now_us)
    assert closed.balances() == before
    team = disputed(store, OCTOBER, Random(1), "one", now_us)
    adjusted(store, OCTOBER, 12_340_000_000, "one", now_us)
    after = closed.balances()
    assert after[f"Charge:{team}:adjustment"] == "-12.34"
    assert after["Variance:goodwill"] == "12.34"
    with store.read() as tx:
        assert [one.ending for one in disputes(tx)] == ["rejected", "adjusted"]
