"""Statements from the books: they tie, keep their ids, and stand on what was booked."""

import pytest

from company import org, policy, usage
from tallybook.report.central import LABELS
from tallybook.report.lines import LineKey, line_id

SHOWN = policy().replace("    pools:", "    teams: {b: {model: showback}}\n    pools:")
MIXED = (
    usage("1"),
    usage("2", provider="Y", model="y-1", service="retrieval"),
    usage("3", provider="Y", model="y-1", team="b", feature="find"),
    usage("4", team=None, feature=None),
    usage("5", team="platform", feature=None),
    usage("6", purpose="evaluation"),
)


def amounts(issue, team):
    return {(x.kind, x.feature, x.detail): x.amount_cents for x in issue.statement(team).lines}


def test_lines_quantities_notes_and_central(company):
    company.apply(policy=SHOWN)
    company.ingest(*MIXED)
    company.run()
    issue = company.statements()
    assert amounts(issue, "a")["usage", "bot", ""] == 100
    assert amounts(issue, "a")["transfer", "bot", "retrieval"] == 22
    assert amounts(issue, "a")["markup", "", ""] == 18
    assert not issue.statement("b").charged
    (note,) = issue.statement("b").notes
    assert (note.label, note.quantity.calls, note.amount_cents) == ("run for a: retrieval", 1, 22)
    (pooled,) = issue.statement("a").notes
    assert (pooled.label, pooled.amount_cents) == ("paid by the quality pool", 100)
    kinds = {line.kind: line.amount_cents for line in issue.central}
    assert set(kinds) <= set(LABELS)
    assert kinds["unowned"] == kinds["central_usage"] == 100
    assert kinds["showback"] == issue.statement("b").total_cents == issue.shown_total_cents
    assert issue.charged_total_cents + issue.central_total_cents == issue.ledger_cost_cents == 3444


def test_line_ids_stay_through_runs(company):
    company.ingest(usage("1"))
    company.run()
    before = {x.id for x in company.statements().statement("a").lines}
    company.ingest(usage("2"))
    company.run()
    assert {x.id for x in company.statements().statement("a").lines} == before
    key = LineKey("a", "bot", "production", "usage", "")
    assert line_id("2026-10", key) in before
    assert line_id("2026-11", key) not in before


@pytest.mark.parametrize("then", ["showback", "proportional"])
def test_a_draft_stands_on_what_was_booked_not_on_what_was_applied_since(company, then):
    company.apply(policy=SHOWN)
    company.ingest(*MIXED)
    company.run()
    before = company.statements()
    company.apply(
        policy=policy("2020-01").replace('{model: real_cost, markup: "15%"}', f"{{model: {then}}}"),
        org=org().replace("Team A", "Team Alpha"),
    )
    assert company.statements() == before
    company.run()
    assert company.statements() != before


def test_the_month_before_stands_beside(company):
    company.ingest(usage("s", started_at="2026-09-03T00:00:00Z"), usage("1"), usage("2"))
    company.close("2026-09")
    company.close()
    statement = company.statements().statement("a")
    assert (statement.previous_total_cents, statement.total_cents) == (115, 230)


def test_budget_and_use_stand_on_the_statement(company):
    company.apply(budgets='budgets:\n  - {feature: bot, from: 2026-01, monthly: "4.00"}\n')
    company.ingest(usage())
    company.run()
    budget = company.statements().statement("a").budget
    assert (budget.budget_cents, budget.used_cents) == (400, 100)
    assert company.statements().statement("b").budget is None


def test_a_renamed_and_moved_feature_has_one_name(found_company):
    moved = org().replace(
        "  - {id: bot, team: a, name: Bot}",
        "  - {id: bot, team: a, name: Bot, to: 2026-10-15}\n"
        "  - {id: bot, team: b, name: Better bot, from: 2026-10-15}",
    )
    company = found_company(org=moved)
    company.ingest(
        usage("1", started_at="2026-10-01T00:00:00Z"), usage("2", started_at="2026-10-20T00:00:00Z")
    )
    company.close()
    issue = company.statements()
    for team in ("a", "b"):
        names = {x.feature_name for x in issue.statement(team).lines if x.feature == "bot"}
        assert names == {"Better bot"}
