"""Adjusting entries: prepared by one, approved by another, posted whole, seen wherever one looks."""

import pytest

from company import usage
from tallybook.close.adjust import approve, post, reject, undo
from tallybook.errors import LedgerError, PeriodError
from tallybook.ledger.model import Reason
from tallybook.report.explain import explain
from tampering import forge

GOODWILL = ("Charge:a:bot=-0.25", "Variance:goodwill=0.25")


@pytest.fixture
def october(company):
    company.ingest(usage("1"), usage("2", team="b", feature="find"))
    company.run()
    return company


def step(company, verb, *args, **said):
    with company.store.write() as tx:
        return verb(tx, *args, now_us=company.clock.now_us(), **said)


def line(company, period="2026-10", team="a", kind="adjustment"):
    statement = company.statements(period).statement(team)
    return next(one for one in statement.lines if one.kind == kind)


@pytest.mark.both_stores
def test_it_is_seen_on_the_statement_in_the_journal_and_in_every_check(october):
    before = october.statements()
    made = october.adjusted(*GOODWILL, text="outage of 3 October")
    assert made.state == "posted"
    entry = october.journal()[-1]
    assert (entry.reason, entry.period, entry.details["approved_by"]) == (
        Reason.MANUAL,
        "2026-10",
        "cfo",
    )
    assert entry.details["prepared_by"] == "sam"
    found = line(october)
    assert (found.feature, found.amount_cents, found.label) == (
        "bot",
        -25,
        "Adjustment J-0001: outage of 3 October",
    )
    after = october.statements()
    assert after.charged_total_cents == before.charged_total_cents - 25
    assert after.ledger_cost_cents == before.ledger_cost_cents
    october.close()
    assert october.rebuilt() == {("2026-10", 1): ""}
    assert october.failing() == {}


def test_explain_goes_back_to_who_prepared_approved_and_why(october):
    october.adjusted(*GOODWILL)
    october.close()
    told = explain(october.store, line(october).id)
    assert (told.posted_nano, told.calls.count) == (-250_000_000, 0)
    for words in ("prepared_by: sam", "approved_by: cfo", "support: T-1", "agreed"):
        assert words in told.allocated[0].detail


def test_what_the_close_rounds_of_it_is_explained_with_it(october):
    october.adjusted("Charge:a:bot=-0.254321", "Variance:goodwill=0.254321")
    october.close()
    told = explain(october.store, line(october).id)
    assert (told.posted_nano, len(told.entries)) == (-250_000_000, 2)
    assert sum(share.amount_nano for share in told.allocated) == told.posted_nano
    assert october.failing() == {}


def test_one_about_a_closed_month_names_it_and_its_statement(october):
    october.close()
    october.ingest(usage("nov", started_at="2026-11-02T00:00:00Z"))
    october.clock.advance(40 * 86_400_000_000)
    october.run("2026-11")
    made = october.adjusted(*GOODWILL, period="2026-11", about="2026-10", text="our mistake")
    assert october.journal()[-1].corrects.startswith("A-")
    found = line(october, "2026-11")
    assert found.label == "October, adjustment J-0001: our mistake (S-2026-10-a v1)"
    october.close("2026-11")
    assert explain(october.store, line(october, "2026-11").id).posted_nano == -250_000_000
    assert october.rebuilt() == {("2026-10", 1): "", ("2026-11", 1): ""}
    assert october.failing() == {}
    assert made.service_period == "2026-10"


def test_a_soft_closed_month_takes_it_and_a_closed_one_does_not(october):
    october.soft_close()
    october.adjusted(*GOODWILL)
    october.close()
    assert line(october).amount_cents == -25
    with pytest.raises(PeriodError, match="2026-10 is closed; nothing posts into it"):
        october.adjust(*GOODWILL)
    assert october.rebuilt() == {("2026-10", 1): ""}
    assert october.failing() == {}


@pytest.mark.both_stores
def test_it_takes_two_people_in_turn(october):
    made = october.adjust(*GOODWILL)
    with pytest.raises(LedgerError, match="J-0001 is draft; only what is approved can be posted"):
        step(october, post, made.id, actor="cfo")
    with pytest.raises(PeriodError, match="takes two people"):
        step(october, approve, made.id, actor=" Sam ")
    step(october, approve, made.id, actor="cfo")
    with pytest.raises(LedgerError, match="only what is draft can be approved"):
        step(october, approve, made.id, actor="cfo")
    with pytest.raises(PeriodError, match="adjustments: not decided: J-0001 approved"):
        october.close()
    step(october, reject, made.id, actor="cfo", reason="no support")
    assert october.close().version == 1
    assert "Charge:a:adjustment" not in october.balances()


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (("Charge:a:bot=-0.25", "Variance:goodwill=0.24"), "differ by -0.010000000"),
        (("Charge:a:bot=-0.25",), "it needs at least 2"),
        (("Charge:a:bot=0", "Variance:goodwill=0"), "zero"),
        (("Cost:X=-1", "Variance:goodwill=1"), "Cost:X is not for adjusting entries"),
        (("Pool:gateway=-1", "Variance:goodwill=1"), "tallybook pool"),
        (("Charge:nobody=-1", "Variance:goodwill=1"), "'nobody' is no team that is charged"),
        (("Charge:platform=-1", "Variance:goodwill=1"), "'platform' is no team that is charged"),
        (("Charge:a:find=-1", "Variance:goodwill=1"), "'find' is no feature of a"),
        (("Gift:a=-1", "Variance:goodwill=1"), "belongs to no declared family"),
        (("Charge:a:bot", "Variance:goodwill=1"), "is no line"),
    ],
)
def test_what_is_wrong_is_refused_whole(october, lines, said):
    before = october.dump()
    with pytest.raises(LedgerError, match=said):
        october.adjust(*lines)
    assert october.dump() == before


@pytest.mark.parametrize("missing", ["text", "reason", "support"])
def test_it_says_what_why_and_by_what_proof(october, missing):
    with pytest.raises(LedgerError, match=f"needs a {missing}"):
        october.adjust(*GOODWILL, **{missing: " "})


def test_its_reversal_posts_into_the_month_after_by_choice(october):
    october.adjusted("Variance:estimate=5.00", "Accrued:X=-5.00", reverses=True)
    entry, back = october.journal()[-2:]
    assert (back.reason, back.period, back.corrects) == (Reason.REVERSAL, "2026-11", entry.id)
    assert october.balances()["Accrued:X"] == "-2.00"
    assert october.balances("2026-10")["Accrued:X"] == "-7.00"
    october.close()
    assert october.failing() == {}


@pytest.mark.both_stores
def test_what_was_posted_is_reversed_once(october):
    made = october.adjusted(*GOODWILL)
    step(october, undo, made.id, actor="cfo", reason="paid twice")
    assert "Charge:a:adjustment" not in october.balances()
    with pytest.raises(LedgerError, match="only what is posted can be reversed"):
        step(october, undo, made.id, actor="cfo", reason="again")
    october.close()
    assert october.failing() == {}


def test_a_draft_that_was_changed_in_the_database_is_not_posted(october):
    made = october.adjust(*GOODWILL)
    step(october, approve, made.id, actor="cfo")
    forge(october.home, "UPDATE adjusting SET text = 'another'")
    with pytest.raises(LedgerError, match="is not what was approved"):
        step(october, post, made.id, actor="cfo")
