"""Reopening takes two people and goes backwards; what was issued stays, the next close corrects."""

import pytest

from company import POLICY, usage
from tallybook.errors import PeriodError
from tallybook.ledger.balance import booked
from tallybook.report.body import body, json_text
from tallybook.report.files import render

LONG = 100 * 86_400 * 1_000_000
NOVEMBER = {"started_at": "2026-11-02T00:00:00Z"}


@pytest.fixture
def closed(company):
    company.ingest(usage("1"), usage("2", team="b", feature="find", tokens={"output": 333}))
    company.close()
    company.clock.advance(LONG)
    return company


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"approved_by": " Controller "}, "it takes two people"),
        ({"approved_by": ""}, "nobody approves"),
        ({"reason": "  "}, "needs a reason"),
        ({"period": "2026-11"}, "2026-11 is open"),
    ],
)
def test_what_is_no_reopening_is_refused(closed, changes, words):
    before = closed.dump()
    with pytest.raises(PeriodError, match=words):
        closed.reopen(**changes)
    assert closed.dump() == before


def test_the_last_closed_month_is_reopened_first(closed):
    closed.ingest(usage("n", **NOVEMBER))
    closed.close("2026-11")
    with pytest.raises(PeriodError, match="while 2026-11 is closed") as refused:
        closed.reopen("2026-10")
    assert "tallybook reopen 2026-11" in str(refused.value)
    closed.reopen("2026-11")
    closed.reopen("2026-10")
    assert closed.failing() == {}


@pytest.mark.both_stores
def test_the_next_close_issues_a_corrected_version_and_the_first_stays(closed):
    first = json_text(closed.statements())
    closed.reopen(reason="a wrong markup")
    closed.apply(policy=(POLICY % "2020-01").replace("15%", "20%"))
    closed.run()
    assert closed.statements().status == "draft"
    assert closed.close().version == 2
    issue = closed.statements()
    assert (issue.status, issue.version) == ("corrected", 2)
    (a,) = [x for x in issue.differences if x.team == "a"]
    assert (a.label, a.before_cents, a.after_cents) == ("Markup 20 % (gateway)", 15, 20)
    moved = sum(x.after_cents - x.before_cents for x in issue.differences)
    assert moved == issue.ledger_cost_cents - closed.statements(version=1).ledger_cost_cents
    assert body(issue)["notes"]["differences"][0].keys() == {
        "team", "id", "label", "before", "after"
    }  # fmt: skip
    assert json_text(closed.statements(version=1)) == first
    assert "differences" not in first
    assert closed.failing() == {}
    assert closed.rebuilt() == {("2026-10", 1): "", ("2026-10", 2): ""}
    assert "Corrected, against v1" in render(issue, "text", "a")
    assert "What this version corrects" in render(issue, "html", "a")
    assert "Under- (over-) absorbed by markup" in render(issue, "text")


def test_a_version_that_corrects_nothing_says_so(closed):
    closed.reopen()
    closed.close()
    assert closed.statements().differences == ()
    assert "no line changed" in render(closed.statements(), "text", "a")
    assert closed.failing() == {}


def test_issued_cents_equal_balances_after_every_close(closed):
    for version in (2, 3):
        closed.reopen()
        closed.ingest(usage(f"l-{version}", tokens={"output": 1}))
        closed.close()
        for each in closed.statements().statements:
            held = sum(
                p.amount_nano
                for entry in closed.journal("2026-10")
                for p in entry.postings
                if p.account.startswith(f"Charge:{each.team}:")
            )
            assert held == each.total_cents * 10**7
    assert closed.failing() == {}


def test_adjustments_elsewhere_are_taken_back_when_the_reopened_month_runs(closed):
    closed.ingest(usage("l", team="b", feature="find"))
    closed.run("2026-11")
    with closed.store.read() as tx:
        whole = {k: v for k, v in booked(tx, "2026-10").items() if k.source != "rounding"}
        assert booked(tx, "2026-10", "2026-11")
    closed.reopen()
    assert closed.failing() == {}
    assert closed.run("2026-11").entries == ()
    closed.run("2026-10")
    with closed.store.read() as tx:
        again = {k: v for k, v in booked(tx, "2026-10").items() if k.source != "rounding"}
        assert booked(tx, "2026-10", "2026-11") == {}
    assert again == whole
    assert not [
        x for s in closed.statements("2026-11").statements for x in s.lines
        if x.kind == "adjustment"
    ]  # fmt: skip
    closed.close()
    assert closed.run("2026-11").entries == ()
    used = [x for x in closed.statements().statement("b").lines if x.kind == "usage"]
    assert [x.quantity.calls for x in used] == [2]
    assert closed.failing() == {}


def test_what_comes_after_the_second_close_is_late_again(closed):
    closed.ingest(usage("l-1"))
    closed.run("2026-11")
    closed.reopen()
    closed.close()
    closed.ingest(usage("l-2"))
    closed.run("2026-11")
    (line,) = [x for x in closed.statements("2026-11").statement("a").lines if x.quantity.calls]
    assert line.label == "October, 1 late call (S-2026-10-a v2)"
    closed.close("2026-11")
    assert closed.failing() == {}
    assert set(closed.rebuilt().values()) == {""}


def test_adjustments_of_earlier_months_stay_in_a_month_that_is_reopened(closed):
    closed.ingest(usage("l-1"), usage("n", **NOVEMBER))
    closed.close("2026-11")
    issued = json_text(closed.statements("2026-11"))
    closed.ingest(usage("l-2"))
    closed.run("2026-12")
    closed.reopen("2026-11")
    closed.ingest(usage("l-3"))
    closed.close("2026-11")
    labels = [x.label for x in closed.statements("2026-11").statement("a").lines]
    assert "October, 2 late calls (S-2026-10-a v1)" in labels
    closed.run("2026-12")
    labels = [x.label for x in closed.statements("2026-12").statement("a").lines]
    assert "October, 1 late call (S-2026-10-a v1)" in labels
    assert json_text(closed.statements("2026-11", 1)) == issued
    assert closed.failing() == {}
    assert set(closed.rebuilt().values()) == {""}


def test_a_statement_of_before_does_not_post(closed):
    closed.reopen()
    with pytest.raises(PeriodError, match="open"):
        closed.reopen()
    assert closed.balances("2026-10")
    assert closed.statements(version=1).version == 1
