"""Closing: in order, when the month is over, with everything known or signed for."""

import pytest

from company import usage
from tallybook.clock import Period, parse_instant
from tallybook.close.close import check_close
from tallybook.errors import PeriodError
from tallybook.report.body import json_text

LIMITED = '    limits: {unallocated: "100%"}'


def test_a_close_rounds_issued_cents_to_the_ledger(company):
    company.ingest(usage("1", tokens={"output": 333}), usage("2", team="b", tokens={"output": 777}))
    closed = company.close()
    issue = company.statements()
    assert (issue.status, issue.version, issue.seal) == ("final", 1, closed.seal)
    assert issue.body_sha256 == closed.body_sha256
    for each in issue.statements:
        held = sum(
            p.amount_nano
            for entry in company.journal("2026-10")
            for p in entry.postings
            if p.account.startswith(f"Charge:{each.team}:")
        )
        assert held == each.total_cents * 10**7
    assert company.failing() == {}


def test_a_month_that_has_not_ended_does_not_close(found_company):
    company = found_company(now="2026-10-31T23:59:59Z")
    company.ingest(usage())
    with pytest.raises(PeriodError, match="the period ends at 2026-11-01T00:00:00"):
        company.close()
    company.clock.advance(1_000_000)
    assert company.close().version == 1


def test_the_companys_zone_says_when_a_month_ends(found_company):
    company = found_company(timezone="Asia/Kolkata", now="2026-10-31T18:29:59Z")
    with pytest.raises(PeriodError, match="ended"):
        company.close()
    company.clock.advance(1_000_000)
    assert company.close().period == "2026-10"


def test_months_close_in_order(company):
    company.ingest(usage("s", started_at="2026-09-30T00:00:00Z"), usage())
    company.run("2026-09")
    with pytest.raises(PeriodError, match="open with usage or postings: 2026-09"):
        company.close()
    company.close("2026-09")
    company.close()


def test_earlier_usage_that_was_never_run_is_seen_too(company):
    company.ingest(usage("s", started_at="2026-09-30T00:00:00Z"), usage())
    with pytest.raises(PeriodError, match="2026-09"):
        company.close()


def test_months_in_which_nothing_happened_need_no_close(company):
    company.ingest(usage("old", started_at="2023-11-15T00:00:00Z"), usage())
    assert company.close("2023-11").period == "2023-11"
    assert company.close("2026-10").period == "2026-10"
    assert company.failing() == {}


def test_a_closed_month_does_not_close_again(company):
    company.close()
    with pytest.raises(PeriodError, match="closed"):
        company.close()


@pytest.mark.parametrize(
    ("changes", "item"),
    [
        ({"model": "unheard-of"}, "unpriced"),
        ({"tokens": None}, "unknown"),
        ({"usage": "estimated"}, "estimated"),
    ],
)
def test_what_nobody_knows_blocks_until_it_is_signed_for(company, changes, item):
    company.ingest(usage("1"), usage("2", **changes))
    with pytest.raises(PeriodError, match=f"{item}: 1 calls") as refused:
        company.close()
    assert f"tallybook waive 2026-10 {item}" in str(refused.value)
    company.waive("2026-10", item)
    closed = company.close()
    assert {x.name: x.waived_by for x in closed.checklist if x.waived_by} == {item: "cfo"}
    assert company.failing() == {}


def test_a_price_that_came_in_time_needs_no_waiver(company):
    company.ingest(usage("1"), usage("2", model="new"))
    with pytest.raises(PeriodError, match="unpriced"):
        company.close()
    company.apply(
        prices=company._files["prices"]
        + "  - {contract: C3, provider: X, model: new, per_million_tokens:"
        ' {input_uncached: "1", output: "1"}}\n'
    )
    company.close()
    assert company.statements().unpriced.calls == 0


def test_unowned_usage_above_the_limit_blocks(found_company):
    from company import policy  # noqa: PLC0415

    company = found_company(policy=policy().replace(LIMITED, LIMITED.replace("100%", "1%")))
    company.ingest(usage("1"), usage("2", team=None, feature=None))
    with pytest.raises(PeriodError, match=r"unallocated: 1 calls, 50.0 % .* the limit is 1.0 %"):
        company.close()


def test_late_events_post_into_the_open_month_and_the_statement_stays(company):
    company.ingest(usage())
    company.close()
    issued = json_text(company.statements())
    company.ingest(usage("late"), usage("nov", started_at="2026-11-02T00:00:00Z"))
    company.run("2026-11")
    assert json_text(company.statements()) == issued
    assert company.balances("2026-10")["Charge:a:usage"] == "1.00"
    assert company.balances("2026-11")["Charge:a:usage"] == "2.00"
    assert company.failing() == {}


def test_the_checklist_is_shown_without_closing(company):
    company.ingest(usage("1"), usage("2", model="unheard-of"))
    items = check_close(company.store, Period(2026, 10), clock=company.clock, actor="me")
    assert [x.name for x in items if x.blocks] == ["unpriced"]
    assert company.statements().status == "draft"
    assert parse_instant("2026-11-05T09:00:00Z") == company.clock.now_us()
