"""A use case begins: proposed with an estimate, approved by somebody else, then it is in the books."""

import json

import pytest

import tallybook.budget.begin as room
from people import OCTOBER, at, company
from tallybook.books.model import Prices
from tallybook.budget.approve import approve, deny
from tallybook.budget.begin import begin
from tallybook.budget.estimate import estimate
from tallybook.budget.propose import Proposal, propose
from tallybook.errors import BooksError, BudgetError, PriceError, WrongUsageError
from tallybook.post.basis import latest_books
from tallybook.rate.model import PriceKey
from tallybook.store.commands import Command

TOKENS = {"input_uncached": 1_000, "output": 200}
NANO = 10**9
ORG = """
# who answers for what
company: {name: Acme, currency: USD, fiscal_year_start: 2026-01, timezone: UTC}
business_units: [{id: main, name: Main, legal_entity: acme-us}]
teams:
  - {id: a, name: Team A, unit: main, cost_center: "1", owners: {product: pm@acme, finance: fin@acme}}
  - {id: b, name: Team B, unit: main, cost_center: "2"}
features:   # use cases
  - {id: bot, team: a, name: Bot}   # the first
  - {id: find, team: b, name: Find}
unowned: {team: b}
"""
BUDGETS = "budgets:\n  - {feature: bot, from: 2026-10, monthly: '2.00'}\n"


@pytest.fixture
def acme(tmp_path):
    made = company(tmp_path / "acme", org=ORG, budgets=BUDGETS)
    yield made
    made.store.close()


def proposed(acme, who="dana@acme", **more):
    told = {
        "feature": "triage", "name": "Ticket triage", "team": "a", "provider": "X",
        "model": "x-1", "tokens": TOKENS, "calls": 2_000, **more,
    }  # fmt: skip
    command = Command("budget propose", {}, who)
    return propose(acme.store, Proposal(**told), command=command, now_us=acme.clock.now_us())


def begun(acme, request, who="pm@acme", **more):
    command = Command("budget approve", {}, who)
    now_us = acme.clock.now_us()
    return begin(acme.store, request, acme.home / "books", command=command, now_us=now_us, **more)


def books_of(acme):
    with acme.store.read() as tx:
        return latest_books(tx)[0]


def test_a_proposal_is_estimated_at_the_prices_of_the_books(acme):
    """1,000 tokens at 10 a million and 200 at 50: 0.02 a call, 40.00 for 2,000; with headroom 50."""
    told = proposed(acme).details
    assert told["estimate"]["per_call"] == "0.020000000000"
    assert told["estimate"]["monthly"] == "40.000000000000"
    assert (told["suggested"], told["limit"]) == ("50.000000000", "50.000000000")
    assert told["approvers"] == ["pm@acme", "fin@acme"]
    assert told["alternatives"] == []


def test_cheaper_models_that_can_do_the_same_kind_are_named_with_their_price():
    asked = PriceKey("openai", "gpt-4o", "standard", "")
    found = estimate(Prices(), "USD", asked, TOKENS, 1_000, 1_790_000_000_000_000)
    assert found.asked.monthly_pico == 1_000 * (1_000 * 2_500_000 + 200 * 10_000_000)
    costs = [one.per_call_pico for one in found.alternatives]
    assert costs == sorted(costs)
    assert len(costs) == 5
    assert max(costs) < found.asked.per_call_pico
    assert {one.provider for one in found.alternatives} == {"openai"}
    every = estimate(
        Prices(), "USD", asked, TOKENS, 1_000, 1_790_000_000_000_000, every_provider=True
    )
    assert every.alternatives[0].per_call_pico < costs[0]


def test_a_model_that_puts_out_nothing_is_no_alternative_to_one_that_does():
    """And a chat model is none to one that makes embeddings."""
    asked = PriceKey("openai", "text-embedding-3-large", "standard", "")
    found = estimate(Prices(), "USD", asked, {"input_uncached": 9}, 1, 1_790_000_000_000_000)
    assert {one.model for one in found.alternatives} == {
        "text-embedding-3-small", "text-embedding-ada-002",
    }  # fmt: skip


def test_a_model_without_a_price_is_not_estimated_at_zero(acme):
    with pytest.raises(PriceError, match="X/x-9 cannot be estimated"):
        proposed(acme, model="x-9")
    with pytest.raises(PriceError, match="audio_input"):
        proposed(acme, tokens={"audio_input": 5})


@pytest.mark.parametrize(
    ("changes", "kind", "message"),
    [
        ({"feature": "bot"}, BudgetError, "'bot' exists already"),
        ({"team": "zeta"}, BudgetError, "no team 'zeta'"),
        ({"team": "b"}, BudgetError, "nobody but dana@acme may approve"),
        ({"approvers": ["Dana@acme"]}, BudgetError, "nobody but dana@acme"),
        ({"feature": "no way"}, WrongUsageError, "no id"),
        ({"calls": 0}, WrongUsageError, "0 calls"),
        ({"tokens": {}}, WrongUsageError, "without tokens"),
        ({"tokens": {"words": 3}}, WrongUsageError, "'words' is no token class"),
        ({"limit": "0"}, WrongUsageError, "lets no call through"),
    ],
)
def test_what_cannot_begin_is_refused(acme, changes, kind, message):
    with pytest.raises(kind, match=message):
        proposed(acme, **changes)


def test_a_use_case_is_asked_for_once(acme):
    proposed(acme)
    with pytest.raises(BudgetError, match="asked for by request 1 already"):
        proposed(acme)


def test_approval_adds_feature_key_and_budget_to_the_files_and_applies_them(acme):
    request = proposed(acme, limit="30.00")
    done = begun(acme, request.id, amount="25.50", reason="go")
    assert done.decision.amount_nano == 25_500_000_000
    books = books_of(acme)
    (feature,) = [row for row in books.org.features if row.id == "triage"]
    assert (feature.team, feature.name) == ("a", "Ticket triage")
    (key,) = [row for row in books.org.keys if row.id == "vk-triage-production"]
    assert (key.feature, key.purpose) == ("triage", "production")
    row = books.budgets.budget_of("triage", OCTOBER)
    assert (row.monthly_nano, row.over, row.approvers) == (
        25_500_000_000, "approval", ("pm@acme", "fin@acme"),
    )  # fmt: skip
    text = (acme.home / "books" / "org.yaml").read_text(encoding="utf-8")
    assert "# who answers for what" in text
    assert "# the first" in text
    assert text.index("id: find") < text.index("id: triage") < text.index("unowned")


def test_who_proposes_does_not_approve(acme):
    request = proposed(acme, who="pm@acme")
    with pytest.raises(BudgetError, match="takes two people"):
        begun(acme, request.id, "pm@acme")
    with pytest.raises(BudgetError, match="may not decide"):
        begun(acme, request.id, "mallory@acme")
    assert begun(acme, request.id, "fin@acme").decision.decided_by == "fin@acme"


def test_nothing_is_applied_that_nobody_saw(acme):
    """A folder that is ahead of what was applied would smuggle its changes in."""
    request = proposed(acme)
    path = acme.home / "books" / "org.yaml"
    path.write_text(path.read_text("utf-8").replace("name: Find", "name: Found"), encoding="utf-8")
    with pytest.raises(BudgetError, match=r"org\.yaml in .* is not what was applied"):
        begun(acme, request.id)
    assert "triage" not in path.read_text("utf-8")


def test_what_was_cut_off_is_run_again(acme, monkeypatch):
    request = proposed(acme)
    for step in ("apply_documents", "record_decision"):
        with monkeypatch.context() as patch:

            def die(*_args, **_more):
                raise KeyboardInterrupt

            patch.setattr(room, step, die)
            with pytest.raises(KeyboardInterrupt):
                begun(acme, request.id)
    assert begun(acme, request.id).decision.verdict == "approved"
    text = (acme.home / "books" / "org.yaml").read_text(encoding="utf-8")
    assert text.count("id: triage") == 1
    assert [row.id for row in books_of(acme).org.features].count("triage") == 1


def test_files_that_take_no_row_are_left_as_they_were(acme):
    acme.apply(budgets="budgets: [{feature: bot, from: 2026-10, monthly: '2.00'}]\n")
    request = proposed(acme)
    before = {path.name: path.read_bytes() for path in (acme.home / "books").iterdir()}
    with pytest.raises(BooksError, match=r"budgets\.yaml:1: budgets is not written"):
        begun(acme, request.id)
    assert {path.name: path.read_bytes() for path in (acme.home / "books").iterdir()} == before
    with acme.store.read() as tx:
        assert not tx.scalar("SELECT COUNT(*) FROM budget_decision")


def test_more_than_was_proposed_is_not_approved(acme):
    request = proposed(acme)
    with pytest.raises(BudgetError, match="not within what was proposed"):
        begun(acme, request.id, amount="51.00")


def test_an_increase_and_a_use_case_are_approved_each_in_its_way(acme):
    request = proposed(acme)
    command, now_us = Command("budget approve", {}, "pm@acme"), acme.clock.now_us()
    with pytest.raises(BudgetError, match="is a use case") as told:
        approve(acme.store, request.id, command=command, now_us=now_us)
    assert told.value.next_step == "tallybook budget approve 1 --books FOLDER"
    deny(acme.store, request.id, reason="not now", command=command, now_us=now_us)
    with pytest.raises(BudgetError, match="request 1 is denied"):
        begun(acme, request.id)


def test_the_decision_is_an_act_and_names_what_was_decided(acme):
    begun(acme, proposed(acme).id)
    with acme.store.read() as tx:
        row = tx.row("SELECT reason, actor, details FROM chain WHERE kind = 'act'")
    assert (row.reason, row.actor) == ("approval", "pm@acme")
    assert json.loads(row.details)["kind"] == "use_case"


def test_a_month_that_began_before_charges_the_new_budget(acme):
    begun(acme, proposed(acme).id)
    acme.run()
    at(acme, "2026-11-05T09:00:00Z")
    acme.close()
    assert acme.rebuilt() == {("2026-10", 1): ""}
    assert acme.statements().statement("a").budget.budget_cents == 5_200
