"""Soft close: usage is cut off, finance goes on, and what comes late is late."""

import pytest

from company import usage
from tallybook.clock import Period
from tallybook.close.close import check_close
from tallybook.errors import PeriodError
from tallybook.ledger.state import period_state
from tallybook.report.body import json_text


def state(company, period="2026-10"):
    with company.store.read() as tx:
        return period_state(tx, period)


@pytest.mark.both_stores
def test_usage_after_the_cutoff_posts_into_the_next_month(company):
    company.ingest(usage("1"))
    company.soft_close()
    assert state(company) == "soft-closed"
    company.ingest(usage("late"), usage("nov", started_at="2026-11-02T00:00:00Z"))
    with pytest.raises(PeriodError, match="soft-closed; it takes finance entries and no usage"):
        company.run("2026-10")
    company.run("2026-11")
    assert company.balances("2026-10")["Charge:a:usage"] == "1.00"
    assert company.balances("2026-11")["Charge:a:usage"] == "2.00"
    assert company.failing() == {}
    closed = company.close()
    assert closed.version == 1
    assert state(company) == "closed"
    line = next(x for x in company.statements("2026-11").statements[0].lines if x.detail)
    assert "October, 1 late call" in line.label
    assert company.failing() == {}


def test_a_statement_says_that_its_month_is_soft_closed(company):
    company.ingest(usage())
    company.run()
    open_text = json_text(company.statements())
    company.soft_close()
    soft = company.statements()
    assert (soft.status, soft.soft_closed) == ("draft", True)
    assert '"soft_closed":true' in json_text(soft)
    assert (
        json_text(soft).replace('"soft_closed":true,', "").replace(',"soft_closed":true', "")
        == open_text
    )
    company.close()
    assert not company.statements().soft_closed
    assert "soft_closed" not in json_text(company.statements())
    assert company.rebuilt() == {("2026-10", 1): ""}


@pytest.mark.both_stores
def test_the_close_after_a_soft_close_issues_what_was_cut_off(company):
    """Whatever came, and whatever was applied, since."""
    company.ingest(usage("1"), usage("2", team="b", feature="find"))
    company.run()
    before = json_text(company.statements())
    company.soft_close()
    company.ingest(usage("3"))
    company.run("2026-11")
    assert json_text(company.statements()).replace(',"soft_closed":true', "") == before
    company.close()
    issued = company.statements()
    assert issued.charged_total_cents > 0
    assert company.balances("2026-10")["Charge:a:usage"] == "1.00"
    assert company.rebuilt() == {("2026-10", 1): ""}
    assert company.failing() == {}


def test_what_nobody_knows_stops_a_soft_close(company):
    company.ingest(usage("1"), usage("2", model="unheard-of"))
    with pytest.raises(PeriodError, match="unpriced: 1 calls"):
        company.soft_close()
    assert state(company) == "open"
    company.waive("2026-10", "unpriced")
    company.soft_close()
    assert company.close().version == 1


def test_months_are_soft_closed_in_order_and_closed_in_order(company):
    company.ingest(usage("s", started_at="2026-09-30T00:00:00Z"), usage())
    company.run("2026-09")
    with pytest.raises(PeriodError, match="2026-09"):
        company.soft_close()
    company.soft_close("2026-09")
    company.soft_close()
    with pytest.raises(PeriodError, match="open with usage or postings: 2026-09"):
        company.close()
    company.close("2026-09")
    company.close()
    assert company.failing() == {}


@pytest.mark.both_stores
def test_a_soft_closed_month_is_reopened_by_two_people_and_takes_usage_again(company):
    company.ingest(usage("1"))
    company.soft_close()
    company.ingest(usage("2"))
    company.run("2026-11")
    assert company.balances("2026-11")["Charge:a:usage"] == "1.00"
    company.reopen()
    company.run()
    assert company.balances("2026-10")["Charge:a:usage"] == "2.00"
    assert "Charge:a:usage" not in company.balances("2026-11")
    company.close()
    assert company.failing() == {}


def test_the_checklist_of_a_soft_closed_month_runs_nothing(company):
    company.ingest(usage("1"))
    company.soft_close()
    company.ingest(usage("2"))
    before = len(company.journal())
    items = check_close(company.store, Period(2026, 10), clock=company.clock, actor="me")
    assert [item.name for item in items if item.blocks] == []
    assert len(company.journal()) == before


def test_only_once_and_not_before_the_month_is_over(found_company):
    company = found_company(now="2026-10-31T23:59:59Z")
    company.ingest(usage())
    with pytest.raises(PeriodError, match="ended"):
        company.soft_close()
    company.clock.advance(1_000_000)
    company.soft_close()
    with pytest.raises(PeriodError, match="soft-closed"):
        company.soft_close()
    company.close()
    with pytest.raises(PeriodError, match="closed"):
        company.soft_close()
