"""Late usage posts into the open month, by name, and the closed month stays as it was issued."""

import json
from collections import defaultdict

import pytest
from click.testing import CliRunner

from company import POLICY, usage
from tallybook.cli.app import App
from tallybook.cli.main import cli
from tallybook.close.late import late_usage
from tallybook.errors import PeriodError
from tallybook.ledger.model import Reason
from tallybook.report.body import json_text
from tallybook.report.explain import explain

AFTER_NOVEMBER = 40 * 86_400 * 1_000_000
NOVEMBER = {"started_at": "2026-11-02T00:00:00Z"}


def late(company):
    with company.store.read() as tx:
        return [(x.period, x.waiting, x.posted) for x in late_usage(tx)]


def lines(company, team, period="2026-11"):
    found = company.statements(period).statement(team).lines
    return {x.label: (x.quantity.calls, x.amount_cents) for x in found if x.kind == "adjustment"}


@pytest.fixture
def closed(company):
    """October is closed; two calls of it come after."""
    company.ingest(
        usage("1"), usage("2", team="b", feature="find"), usage("e", purpose="evaluation")
    )
    company.close()
    company.ingest(usage("l-1"), usage("l-2", tokens={"output": 20_000}), usage("n", **NOVEMBER))
    return company


def test_late_events_wait_until_the_open_month_runs(closed):
    assert late(closed) == []
    closed.run("2026-12")
    assert late(closed) == [("2026-10", 2, 0)]
    closed.run("2026-11")
    assert late(closed) == [("2026-10", 0, 2)]
    assert closed.run("2026-11").entries == ()
    assert closed.failing() == {}


def test_events_of_open_months_are_not_late(company):
    company.ingest(usage(), usage("n", **NOVEMBER))
    company.close()
    assert late(company) == []


def test_adjustments_name_the_month_and_what_they_correct(closed):
    closed.run("2026-11")
    made = [x for x in closed.journal("2026-11") if x.service_period == "2026-10"]
    assert {x.reason for x in made} == {Reason.ADJUSTMENT}
    (close,) = {x.corrects for x in made}
    assert close.startswith("A-")
    assert {x.period for x in made} == {"2026-11"}
    groups = {}
    for entry in made:
        for posting in entry.postings:
            groups[posting.source] = groups.get(posting.source, 0) + posting.amount_nano
    assert set(groups.values()) == {0}


def test_statements_show_own_calls_and_shares_apart(closed):
    issued = json_text(closed.statements())
    closed.run("2026-11")
    assert lines(closed, "a") == {
        "October, 2 late calls (S-2026-10-a v1)": (2, 230),
        "October, shares moved by late calls (S-2026-10-a v1)": (0, 25),
    }
    assert lines(closed, "b") == {"October, shares moved by late calls (S-2026-10-b v1)": (0, -25)}
    issue = closed.statements("2026-11")
    central = {x.detail: x.amount_cents for x in issue.central if "late" in x.label}
    assert central == {"2026-10": -30}
    assert json_text(closed.statements()) == issued
    closed.clock.advance(AFTER_NOVEMBER)
    closed.close("2026-11")
    assert closed.failing() == {}
    assert closed.rebuilt() == {("2026-10", 1): "", ("2026-11", 1): ""}


@pytest.mark.parametrize("closes", [False, True])
def test_an_adjustment_line_is_explained_by_the_calls_that_came_late(closed, closes):
    closed.run("2026-11")
    closed.clock.advance(AFTER_NOVEMBER)
    if closes:
        closed.close("2026-11")
    found = [
        explain(closed.store, x.id)
        for s in closed.statements("2026-11").statements
        for x in s.lines
        if x.kind == "adjustment"
    ]
    assert [x.calls.count for x in found] == [2, 2, 0]
    assert {c.event_id for c in found[0].calls.sample} == {"l-1", "l-2"}
    assert found[0].posted_nano == sum(part.amount_nano for part in found[0].entries)
    assert found[0].posted_nano == 2_550_000_000
    assert [(owner.team, calls) for owner, calls in found[0].owners] == [("a", 2)]


def test_a_close_of_the_open_month_posts_what_is_late(closed):
    closed.clock.advance(AFTER_NOVEMBER)
    items = {x.name: x for x in closed.close("2026-11").checklist}
    assert items["late"].ok
    assert late(closed) == [("2026-10", 0, 2)]


def test_a_later_month_does_not_close_over_waiting_usage(closed):
    closed.clock.advance(3 * AFTER_NOVEMBER)
    closed.close("2026-11")
    closed.ingest(usage("l-3"), usage("j", started_at="2027-01-02T00:00:00Z"))
    with pytest.raises(PeriodError, match=r"late: events .* not posted: 1 of 2026-10") as refused:
        closed.close("2027-01")
    assert "tallybook run 2026-12" in str(refused.value)


def test_what_was_frozen_at_the_close_decides(closed):
    closed.apply(
        prices=closed._files["prices"].replace('"50"', '"90"').replace('"10"', '"99"'),
        policy=closed._files["policy"].replace("15%", "20%"),
        org=closed._files["org"].replace("id: bot, team: a", "id: bot, team: b"),
    )
    closed.run("2026-11")
    assert lines(closed, "a")["October, 2 late calls (S-2026-10-a v1)"] == (2, 230)
    assert closed.failing() == {}


def test_a_superseded_call_is_reversed_and_its_correction_booked(closed):
    closed.run("2026-11")
    before = closed.balances("2026-10")
    closed.ingest(usage("c", tokens={"output": 2_000}, supersedes="1"))
    closed.run("2026-11")
    assert closed.balances("2026-10") == before
    made = [x for x in closed.journal("2026-11") if x.service_period == "2026-10"]
    metered = [x for x in made if "Metered" in x.text]
    assert len(metered) == 2
    assert {p.account: p.amount_nano for p in metered[1].postings}["Accrued:X"] == 900_000_000
    assert closed.failing() == {}


def test_a_restated_export_of_a_closed_month_is_reversed_and_booked_again(company):
    export = [usage(f"old-{i}", team="ab"[i % 2], feature=("bot", "find")[i % 2]) for i in range(4)]
    company.ingest(*export)
    company.close()
    issued = json_text(company.statements())
    restated = [
        usage(f"new-{i}", supersedes=f"old-{i}", tokens={"output": 20_000}) for i in range(4)
    ]
    company.ingest(*restated)
    company.run("2026-11")
    assert json_text(company.statements()) == issued
    used = defaultdict(int)
    for entry in company.journal():
        for posting in entry.postings:
            if posting.account.endswith(":usage") and posting.source != "rounding":
                used[posting.team, entry.period] += posting.amount_nano
    unit = 10**9
    assert used == {
        ("a", "2026-10"): 2 * unit,
        ("b", "2026-10"): 2 * unit,
        ("a", "2026-11"): 2 * unit,
        ("b", "2026-11"): -2 * unit,
    }
    assert lines(company, "b")["October, late corrections (S-2026-10-b v1)"] == (-2, -230)
    assert company.failing() == {}


def test_a_correction_filed_under_another_month_reaches_the_closed_one(closed):
    closed.ingest(usage("x", supersedes="2", **NOVEMBER))
    closed.run("2026-11")
    held = sum(
        p.amount_nano
        for x in closed.journal()
        for p in x.postings
        if p.account == "Charge:b:usage" and p.source != "rounding"
    )
    assert held == 0
    assert closed.run("2026-11").entries == ()
    assert closed.failing() == {}


def test_a_late_call_without_a_price_is_seen_at_zero(company):
    company.ingest(usage("1"))
    company.close()
    company.ingest(usage("u", model="unheard-of"))
    company.run("2026-11")
    label = "October, 1 late call (S-2026-10-a v1)"
    assert lines(company, "a")[label] == (1, 0)


def test_a_team_that_left_showback_is_shown_the_old_month_beside(found_company):
    text = POLICY.replace("    pools:", "    teams: {b: {model: showback}}\n    pools:") % "2026-01"
    later = POLICY.split("versions:\n", 1)[1] % "2026-11"
    company = found_company(policy=text + later)
    company.ingest(usage("1"), usage("2", team="b", feature="find"))
    company.close()
    company.ingest(
        usage("l", team="b", feature="find"), usage("n", team="b", feature="find", **NOVEMBER)
    )
    company.run("2026-11")
    found = company.statements("2026-11").statement("b")
    assert found.charged
    assert [x.label for x in found.notes][:1] == ["October, 1 late call (S-2026-10-b v1)"]
    assert not [x for x in found.lines if x.kind == "adjustment"]
    company.clock.advance(AFTER_NOVEMBER)
    company.close("2026-11")
    assert company.failing() == {}


def test_a_team_that_came_to_showback_is_still_charged_for_the_old_month(found_company):
    shown = POLICY.replace("    pools:", "    teams: {b: {model: showback}}\n    pools:")
    company = found_company(
        policy=POLICY % "2026-01" + shown.split("versions:\n", 1)[1] % "2026-11"
    )
    company.ingest(usage("1"), usage("2", team="b", feature="find"))
    company.close()
    company.ingest(
        usage("l", team="b", feature="find"), usage("n", team="b", feature="find", **NOVEMBER)
    )
    company.run("2026-11")
    found = company.statements("2026-11").statement("b")
    assert found.charged
    assert {x.kind for x in found.lines} == {"adjustment"}
    assert {x.kind for x in found.notes} >= {"usage"}
    company.clock.advance(AFTER_NOVEMBER)
    company.close("2026-11")
    assert company.failing() == {}


def test_the_worklist_tells_waiting_from_posted(closed):
    closed.run("2026-11")
    closed.ingest(usage("l-3"))
    closed.run("2026-12")
    done = CliRunner().invoke(cli, ["worklist", "late", "--json"], obj=App(closed.home, "reader"))
    (row,) = json.loads(done.stdout)
    assert (row["period"], row["events"], row["waiting"], row["posted"]) == ("2026-10", 3, 1, 2)
