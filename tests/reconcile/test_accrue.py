"""Accruing: what a close asks for, and what is refused."""

import pytest

from company import org, usage
from tallybook.clock import Period
from tallybook.errors import PeriodError
from tallybook.post.basis import read_basis
from tallybook.post.sheet import latest_sheet
from tallybook.reconcile.accrue import accrual_due, accruals, accrue, burn_downs

OCTOBER = Period.parse("2026-10")
DEAL = """commitments:
  - {id: deal, provider: X, amount: "24.00", from: 2026-10, to: 2027-10}
"""
PACK = """credits:
  - {id: pack, provider: X, amount: "9", bought: 2026-09-30, expires: 2026-12-01}
"""


def due(company):
    basis = read_basis(company.store, OCTOBER)
    with company.store.read() as tx:
        return accrual_due(tx, basis, latest_sheet(tx, "2026-10").number)


def post(company):
    return accrue(company.store, OCTOBER, clock=company.clock, actor="fin")


def test_nothing_declared_is_nothing_due(company):
    company.ingest(usage())
    company.run()
    assert due(company) == ""
    assert post(company).entries == ()


def test_what_is_declared_is_due_until_it_is_accrued_and_again_after_a_run(company):
    company.apply(prices=company._files["prices"] + DEAL)
    company.ingest(usage())
    company.run()
    assert due(company) == "commitments: not accrued yet"
    plan = accruals(company.store, OCTOBER)
    assert (plan.entries, plan.commitments[0].shortfall_nano) == ((), 1_000_000_000)
    assert len(post(company).entries) == 1
    assert due(company) == ""
    company.ingest(usage("e-2", tokens={"output": 10_000}), name="more")
    with pytest.raises(PeriodError, match="usage or prices that are not booked"):
        post(company)
    company.run()
    assert "accrued by fin on figures that have changed since" in due(company)
    post(company)
    assert company.balances()["Variance:commitment"] == "0.50"
    (one,) = burn_downs(company.store, OCTOBER)
    assert (one.spent_nano, one.expected_nano) == (1_500_000_000, 2_000_000_000)
    assert company.failing() == {}


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        (DEAL.replace("from: 2026-10", "from: 2026-01"), "commitment deal begins in 2026-01"),
        (PACK, "credit pack was bought on 2026-09-30"),
    ],
)
def test_what_was_used_before_the_books_began_is_not_nothing(company, terms, words):
    """Nine months that nobody metered once stood as nine months in which nothing was spent."""
    company.apply(prices=company._files["prices"] + terms)
    company.ingest(usage())
    company.run()
    before = company.dump()
    for ask in (post, lambda company: accruals(company.store, OCTOBER)):
        with pytest.raises(PeriodError, match=words) as refused:
            ask(company)
        assert "the books in 2026-10: what was used of it before is not known" in str(refused.value)
    assert company.dump() == before


def test_a_credit_of_the_first_day_is_of_the_first_month_west_of_utc_too(company):
    """In New York its day begins in September, and October is the first month of the books."""
    first = PACK.replace("2026-09-30", "2026-10-01")
    company.apply(org=org("America/New_York"), prices=company._files["prices"] + first)
    company.ingest(usage())
    company.run()
    (one,) = post(company).credits
    assert (one.bought_nano, one.used_nano) == (9_000_000_000, 1_000_000_000)
    assert company.balances()["Prepaid:X"] == "8.00"
    assert post(company).entries == ()


def test_a_credit_that_was_told_after_its_month_closed_is_booked_in_the_month_after(company):
    """Else it would be used and never have been bought: a prepaid balance below zero."""
    company.ingest(usage(), usage("n", started_at="2026-11-03T10:00:00Z"))
    company.run()
    company.close()
    told = PACK.replace("2026-09-30", "2026-10-20")
    company.apply(prices=company._files["prices"] + told)
    for period in ("2026-11", "2026-12"):
        company.run(period)
    later, november = Period.parse("2026-12"), Period.parse("2026-11")
    assert all(one.bought_nano == 0 for one in accruals(company.store, later).credits)
    for _ in range(2):
        found = accrue(company.store, november, clock=company.clock, actor="fin")
        (one,) = found.credits
        assert (one.bought_nano, one.closing_nano) == (9_000_000_000, 0)
    assert found.entries == ()
    assert company.balances().get("Prepaid:X", "0.00") == "0.00"
    assert company.balances()["Variance:expired_credit"] == "8.00"
    assert company.failing() == {}


def test_a_commitment_of_months_that_the_books_hold_is_accrued(company):
    company.apply(prices=company._files["prices"] + DEAL.replace("from: 2026-10", "from: 2026-09"))
    company.run("2026-09")
    company.ingest(usage())
    company.run()
    (one,) = accruals(company.store, OCTOBER).commitments
    assert (one.elapsed, one.spent_nano) == (2, 1_000_000_000)


def test_a_month_that_was_not_run_and_a_closed_one_are_refused(company):
    with pytest.raises(PeriodError, match="nothing is booked in 2026-10"):
        post(company)
    company.ingest(usage())
    company.run()
    company.close()
    before = company.dump()
    with pytest.raises(PeriodError, match="2026-10 is closed"):
        post(company)
    assert company.dump() == before
