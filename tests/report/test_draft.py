"""Statements from the books: they tie, keep their ids, and stand on what was booked."""

import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from company import PRICES, org, policy, usage
from tallybook.allocate.allocate import allocate
from tallybook.allocate.model import Month, PoolAmount
from tallybook.books.documents import parse, read_folder
from tallybook.books.model import TeamPolicy
from tallybook.money import cents_of_nano
from tallybook.post.run import unversioned_key
from tallybook.post.sheet import cost_cells
from tallybook.report.body import body, from_body
from tallybook.report.central import LABELS
from tallybook.report.draft import draft
from tallybook.report.lines import LineKey, line_id

sys.path.insert(0, str(Path(__file__).parent))
from moved import owed, sheet, used

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


TEAMS = ("a", "b", "platform")
RULES = ("caller_pays", "callee_absorbs", "split", "transfer_price", "joint")
BUDGETS = 'budgets:\n  - {feature: bot, from: 2026-01, monthly: "7.00"}\n'
COMMITTED = TeamPolicy("use_case_budget", charge="committed")
MODELS = (*map(TeamPolicy, ("showback", "proportional", "real_cost", "use_case_budget")), COMMITTED)


@pytest.fixture(scope="module")
def books(tmp_path_factory):
    folder = tmp_path_factory.mktemp("books")
    files = {"org": org(), "policy": policy(), "prices": PRICES, "budgets": BUDGETS}
    for kind, text in files.items():
        (folder / f"{kind}.yaml").write_text(text, encoding="utf-8")
    return parse(read_folder(folder))


def lines_between(draw):
    payer, executor = draw(st.sampled_from(TEAMS)), draw(st.sampled_from(TEAMS))
    line = used(
        payer,
        executor,
        origin=draw(st.sampled_from(["", *TEAMS])),
        rule=draw(st.sampled_from(RULES)),
        service=draw(st.sampled_from(["s", "t"])),
        feature=draw(st.sampled_from(["", {"a": "bot", "b": "find"}.get(payer, "")])),
        calls=draw(st.integers(0, 5)),
        purpose=draw(st.sampled_from(["production", "evaluation"])),
    )
    return replace(line, card_pico=draw(st.integers(0, 10**16)))


def priced(draw):
    payer, executor = draw(st.permutations(TEAMS))[:2]
    use = owed(payer, executor, draw(st.sampled_from(["s", "t"])), calls=draw(st.integers(0, 9)))
    return replace(use, amount_nano=draw(st.integers(0, 10**13)))


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_whatever_rules_and_models_there_are_the_statements_tie(books, data):
    """Charged + central = ledger cost, in cents; every posting is on a line, every call once."""
    draw = data.draw
    models = {team: draw(st.sampled_from(MODELS)) for team in TEAMS}
    rules = replace(books.policy.versions[0], teams=models)
    made = sheet(
        *(lines_between(draw) for _ in range(draw(st.integers(0, 6)))),
        uses=[priced(draw) for _ in range(draw(st.integers(0, 4)))],
    )
    month = Month(
        period="2026-10",
        cells=cost_cells(made.lines),
        policy=rules,
        pools=(PoolAmount("gateway", 30 * 10**9, draw(st.integers(0, 10**11))),),
        budgets={"bot": 7 * 10**9},
        teams=TEAMS,
        unowned="platform",
        owner_of={"bot": "a", "find": "b"},
        uses=made.uses,
    )
    held = Counter()
    for line in allocate(month).lines:
        held[unversioned_key(line, "2026-10")] += line.amount_nano
    found = draft(books, rules, made, {key: nano for key, nano in held.items() if nano}, {})
    issue = found.statements
    cost_nano = -sum(n for key, n in held.items() if key.account.startswith(("Accrued", "Source")))
    assert issue.charged_total_cents + issue.central_total_cents == cents_of_nano(cost_nano)
    assert from_body(body(issue)) == issue
    # What remains of prices is what the central team owes less what it earns.
    owes = [use.amount_nano for use in made.uses if use.team == "platform"]
    earns = [use.amount_nano for use in made.uses if use.executor == "platform"]
    rest = sum(x.amount_cents for x in issue.central if x.kind == "transfer_absorption")
    assert abs(rest - cents_of_nano(sum(owes) - sum(earns))) <= 1
    for each in issue.statements:
        pooled = [x for x in made.lines if x.owner.purpose == "evaluation"]
        mine = [x for x in made.lines if x.owner.team == each.team and x not in pooled]
        direct = [x for x in each.lines if x.kind in ("usage", "transfer") and not x.is_price]
        assert sum(x.quantity.calls for x in direct) == sum(x.calls for x in mine)
        earned = [x for x in each.lines if x.transfer and x.transfer.role == "earned"]
        assert all(x.amount_cents <= 0 for x in earned)
