"""The year-end roll: the year closes to its result, balances carry, and the new year opens right."""

import pytest

from company import usage
from tallybook.clock import Calendar, Period
from tallybook.close.roll import NOMINAL, year_end
from tallybook.ledger.balance import trial_balance
from tallybook.ledger.model import Reason
from tallybook.report.explain import explain

DAY_US = 86_400_000_000


def year(found_company, now="2027-03-05T09:00:00Z"):
    company = found_company(now=now)
    company.ingest(
        usage("nov", started_at="2026-11-03T00:00:00Z"),
        usage("dec", started_at="2026-12-03T00:00:00Z", team="b", feature="find"),
        usage("jan", started_at="2027-01-03T00:00:00Z"),
    )
    return company


def rows(company, period):
    with company.store.read() as tx:
        return {(row.account, row.team, row.feature): row for row in trial_balance(tx, period)}


def is_nominal(account):
    return account.partition(":")[0] in NOMINAL


def test_the_last_month_of_the_fiscal_year_by_any_start():
    def ends(start, period):
        return str(year_end(Calendar("UTC", start), Period.parse(period)))

    assert ends("2026-01", "2026-12") == "2026-12"
    assert ends("2026-01", "2026-11") == "2025-12"
    assert ends("2026-04", "2027-03") == "2027-03"
    assert ends("2026-04", "2027-02") == "2026-03"
    assert ends("2026-04", "2026-04") == "2026-03"


@pytest.mark.both_stores
def test_the_new_year_opens_with_balances_alone(found_company):
    company = year(found_company)
    company.close("2026-11")
    assert Reason.ROLL not in {entry.reason for entry in company.journal()}
    company.close("2026-12")
    entry = company.journal()[-1]
    assert (entry.reason, entry.period) == (Reason.ROLL, "2026-12")
    assert entry.details["fiscal_year"] == 2026
    company.run("2027-01")
    opening = {key: row.opening_nano for key, row in rows(company, "2027-01").items()}
    assert {key[0] for key, nano in opening.items() if nano and is_nominal(key[0])} == set()
    carried = {key[0]: nano for key, nano in opening.items() if nano}
    assert carried["Accrued:X"] == -2 * 10**9
    assert carried["Result:FY2026"] == -sum(
        nano for account, nano in carried.items() if account != "Result:FY2026"
    )
    assert sum(opening.values()) == 0
    company.close("2027-01")
    assert company.rebuilt() == {("2026-11", 1): "", ("2026-12", 1): "", ("2027-01", 1): ""}
    assert company.failing() == {}


def test_the_roll_is_explained_by_itself(found_company):
    company = year(found_company)
    for month in ("2026-11", "2026-12"):
        company.close(month)
    entry = company.journal()[-1]
    told = explain(company.store, entry.id)
    assert told.posted_nano == 0
    assert told.allocated[0].detail.startswith("Fiscal year 2026 closed to its result")


def test_the_result_is_what_the_year_cost(found_company):
    company = year(found_company)
    for month in ("2026-11", "2026-12"):
        company.close(month)
    cost = sum(company.statements(m).ledger_cost_cents for m in ("2026-11", "2026-12"))
    with company.store.read() as tx:
        result = tx.scalar("SELECT SUM(amount_nano) FROM posting WHERE account = 'Result:FY2026'")
    assert result == cost * 10**7


@pytest.mark.both_stores
def test_reopening_the_last_month_reverses_the_roll_and_closing_rolls_anew(found_company):
    company = year(found_company)
    for month in ("2026-11", "2026-12"):
        company.close(month)
    company.reopen("2026-12")
    assert "Result:FY2026" not in company.balances()
    assert company.balances("2026-12")["Charge:b:usage"] == "1.00"
    company.ingest(usage("more", started_at="2026-12-05T00:00:00Z"))
    company.close("2026-12")
    reasons = [entry.reason for entry in company.journal("2026-12")]
    assert reasons.count(Reason.ROLL) == 2
    assert {a: b for a, b in company.balances().items() if is_nominal(a)} == {}
    assert company.rebuilt()["2026-12", 2] == ""
    assert company.failing() == {}


def test_late_usage_of_the_year_that_is_over_is_borne_by_the_new_one(found_company):
    company = year(found_company)
    for month in ("2026-11", "2026-12"):
        company.close(month)
    before = company.balances()["Result:FY2026"]
    company.ingest(usage("late", started_at="2026-12-20T00:00:00Z"))
    company.run("2027-01")
    assert company.balances()["Result:FY2026"] == before
    assert company.balances("2027-01")["Charge:a:usage"] == "2.00"
    company.close("2027-01")
    assert company.failing() == {}


def test_a_year_whose_last_month_had_nothing_rolls_with_the_next_close(found_company):
    company = found_company(now="2027-03-05T09:00:00Z")
    company.ingest(usage("oct"), usage("feb", started_at="2027-02-03T00:00:00Z"))
    company.close("2026-10")
    company.close("2027-02")
    roll = company.journal()[-1]
    assert (roll.reason, roll.period, roll.details["last_period"]) == (
        Reason.ROLL,
        "2027-02",
        "2026-12",
    )
    assert company.statements("2027-02").statement("a").total_cents > 0
    company.reopen("2027-02")
    company.close("2027-02")
    assert company.failing() == {}
