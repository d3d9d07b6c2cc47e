"""What a run stands on can be read again from the versions that its entries name."""

import pytest

from company import PRICES, org, policy, usage
from tallybook.clock import Period
from tallybook.errors import CorruptedError, StoreError
from tallybook.post.basis import basis_at, latest_books, read_basis
from tallybook.post.compute import attributed, month_of, pool_actuals
from tallybook.post.sheet import latest_sheet

OCTOBER = Period(2026, 10)


def sheet_of(company):
    with company.store.read() as tx:
        return latest_sheet(tx, "2026-10")


def test_a_past_run_is_read_again_whatever_came_since(company):
    company.ingest(usage())
    company.pool("2026-10", "gateway", "31.00")
    company.run()
    sheet = sheet_of(company)
    company.ingest(usage("2"))
    company.pool("2026-10", "gateway", "99.00")
    company.apply(
        org=org().replace("Team A", "Team Alpha"),
        policy=policy().replace("15%", "20%"),
        prices=PRICES.replace('"10"', '"12"'),
    )
    company.run()
    then = basis_at(company.store, OCTOBER, sheet.versions)
    assert then.versions == sheet.versions
    assert attributed(company.store, then) == sheet.sums
    with company.store.read() as tx:
        actuals = pool_actuals(tx, "2026-10", sheet.versions.pools)
        assert pool_actuals(tx, "2026-10") == {"gateway": 99 * 10**9}
    assert actuals == {"gateway": 31 * 10**9}
    assert month_of(then, sheet.lines, actuals).pools[0].actual_nano == 31 * 10**9
    assert sheet_of(company).versions != sheet.versions


def test_a_version_that_never_was_is_refused(company):
    from dataclasses import replace  # noqa: PLC0415

    company.run()
    versions = sheet_of(company).versions
    with pytest.raises(StoreError, match="version 7 of the org file was never applied"):
        basis_at(company.store, OCTOBER, replace(versions, org=7))
    with pytest.raises(CorruptedError, match="were never published"):
        basis_at(company.store, OCTOBER, replace(versions, prices="2026-10-01.4"))


def test_the_policy_version_is_the_one_since_which_the_month_is_as_it_is(company):
    later = "  - effective_from: 2026-12\n    default: {model: showback}\n"
    company.apply(policy=policy("2020-01") + later)
    assert read_basis(company.store, OCTOBER).versions.policy == 1
    assert read_basis(company.store, Period(2026, 12)).versions.policy == 2
    company.apply(policy=policy("2020-01").replace("15%", "16%") + later)
    assert read_basis(company.store, OCTOBER).versions.policy == 3


def test_the_first_run_has_a_publication_due(company):
    assert read_basis(company.store, OCTOBER).due.label == "2026-10-01.1"
    company.run()
    assert read_basis(company.store, OCTOBER).due is None
    with company.store.read() as tx:
        assert latest_books(tx)[0].org.company.name == "Acme"
