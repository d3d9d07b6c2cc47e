"""More of a budget is asked for, and decided by somebody else who may: once, on the record."""

import pytest

from people import OCTOBER, approved, asked, at, company, denied
from tallybook.budget.ask import requests
from tallybook.clock import parse_instant
from tallybook.errors import BudgetError, WrongUsageError
from tallybook.ledger.model import ActKind
from tallybook.ledger.state import acts
from tallybook.post.basis import latest_books, with_grants
from tallybook.store import faults

NOVEMBER = OCTOBER.next()


@pytest.fixture
def books(tmp_path, stores):
    made = company(tmp_path / "acme", opened=stores.open)
    yield made
    made.store.close()


def in_force(books, period=OCTOBER, at_us=None, feature="bot"):
    with books.store.read() as tx:
        found = with_grants(tx, latest_books(tx)[0], period)
    return found.budgets.in_force(feature, period, at_us)


@pytest.mark.both_stores
def test_what_is_approved_is_in_force_from_then_on(books):
    request = asked(books)
    now_us = books.clock.now_us()
    assert in_force(books) == 2_000_000_000
    done = approved(books, request.id)
    assert done.decision.verdict == "approved"
    assert in_force(books) == in_force(books, at_us=now_us) == 3_000_000_000
    assert in_force(books, at_us=now_us - 1) == 2_000_000_000


def test_less_may_be_approved_and_for_a_shorter_time(books):
    request = asked(books, expires="2026-10-28")
    done = approved(books, request.id, amount="0.25", expires="2026-10-25T12:00:00Z", reason="ok")
    assert (done.decision.amount_nano, done.decision.reason) == (250_000_000, "ok")
    assert done.decision.until_us == parse_instant("2026-10-25T12:00:00Z")
    assert in_force(books) == 2_000_000_000
    assert in_force(books, at_us=done.decision.until_us - 1) == 2_250_000_000


def test_an_expiry_that_was_asked_for_stands_unless_another_is_given(books):
    done = approved(books, asked(books, expires="2026-10-28").id)
    assert done.decision.until_us == parse_instant("2026-10-28T00:00:00Z")


def test_a_grant_for_a_month_to_come_begins_with_it(books):
    done = approved(books, asked(books, period=NOVEMBER).id)
    assert done.decision.from_us == parse_instant("2026-11-01T00:00:00Z")
    assert in_force(books) == 2_000_000_000
    assert in_force(books, NOVEMBER) == 3_000_000_000


def test_who_asks_does_not_decide(books):
    request = asked(books, who="Boss@Acme ")
    with pytest.raises(BudgetError, match="it takes two people") as told:
        approved(books, request.id)
    assert "cfo@acme" in told.value.next_step
    assert "boss" not in told.value.next_step
    with pytest.raises(BudgetError, match="two people"):
        denied(books, request.id)
    assert approved(books, request.id, "cfo@acme").decision.decided_by == "cfo@acme"


def test_only_named_approvers_decide(books):
    request = asked(books)
    with pytest.raises(BudgetError, match="may not decide on request 1 of feature:bot") as told:
        approved(books, request.id, "mallory@acme")
    assert "boss@acme, cfo@acme" in told.value.next_step
    with pytest.raises(BudgetError, match="may not decide"):
        denied(books, request.id, "mallory@acme")
    assert in_force(books) == 2_000_000_000


def test_a_budget_that_names_nobody_is_decided_by_the_owners_of_its_team(tmp_path):
    org = (
        "company: {name: Acme, currency: USD, fiscal_year_start: 2026-01, timezone: UTC}\n"
        "business_units: [{id: main, name: Main, legal_entity: x}]\n"
        "teams:\n"
        "  - {id: a, name: A, unit: main, cost_center: '1', owners: {finance: fin@acme}}\n"
        "  - {id: b, name: B, unit: main, cost_center: '2', owners: {engineering: eng@acme}}\n"
        "features: [{id: bot, team: a, name: Bot}, {id: find, team: b, name: Find}]\n"
        "unowned: {team: b}\n"
    )
    budgets = "budgets: [{feature: bot, from: 2026-10, monthly: 2}, {feature: find, from: 2026-10, monthly: 2}]"
    books = company(tmp_path / "acme", org=org, budgets=budgets)
    assert approved(books, asked(books).id, "fin@acme").decision
    with pytest.raises(BudgetError, match="nobody may approve for feature 'find'"):
        asked(books, budget="feature:find")
    books.store.close()


def test_a_request_is_decided_once(books):
    request = asked(books)
    denied(books, request.id)
    for again in (approved, denied):
        with pytest.raises(BudgetError, match="was denied by boss@acme"):
            again(books, request.id)


def test_a_month_that_is_over_keeps_what_was_in_force(books):
    request = asked(books)
    at(books, "2026-11-01T00:00:00Z")
    with pytest.raises(BudgetError, match="2026-10 ended at 2026-11-01T00:00:00"):
        approved(books, request.id)
    with pytest.raises(BudgetError, match="2026-10 ended"):
        asked(books)
    assert denied(books, request.id).decision.verdict == "denied"


@pytest.mark.parametrize("amount", ["1.01", "0", "-0.5"])
def test_no_more_is_approved_than_was_asked_for(books, amount):
    request = asked(books)
    with pytest.raises(WrongUsageError, match="asks for"):
        approved(books, request.id, amount=amount)


@pytest.mark.parametrize("expires", ["2026-10-20", "2026-11-01", "2026-12-01"])
def test_an_expiry_lies_within_what_is_left_of_the_month(books, expires):
    with pytest.raises(WrongUsageError, match="is not within what is left of 2026-10"):
        asked(books, expires=expires)


@pytest.mark.parametrize(
    ("budget", "message"),
    [
        ("feature:nobody", "feature 'nobody' has no budget in 2026-10"),
        ("team:b", "team 'b' has no budget in 2026-10 to increase; team budgets: a"),
        ("unit:main", "no unit has a budget"),
    ],
)
def test_what_has_no_budget_is_not_increased(books, budget, message):
    with pytest.raises(BudgetError, match=message):
        asked(books, budget=budget)


@pytest.mark.parametrize("budget", ["", "feature:", "planet:mars"])
def test_what_names_no_budget_is_refused(books, budget):
    with pytest.raises(WrongUsageError, match="names no budget"):
        asked(books, budget=budget)


@pytest.mark.parametrize("more", [{"reason": " "}, {"who": ""}, {"amount": "0"}])
def test_a_request_says_who_asks_for_how_much_and_why(books, more):
    with pytest.raises(WrongUsageError):
        asked(books, **more)
    with books.store.read() as tx:
        assert requests(tx) == []


def test_a_team_budget_is_increased_by_its_own_approver(books):
    request = asked(books, budget="team:a")
    with pytest.raises(BudgetError, match="may not decide"):
        approved(books, request.id, "boss@acme")
    approved(books, request.id, "cfo@acme")
    with books.store.read() as tx:
        found = with_grants(tx, latest_books(tx)[0], OCTOBER)
    assert found.budgets.granted_nano("team", "a", OCTOBER) == 1_000_000_000
    assert in_force(books) == 2_000_000_000


@pytest.mark.both_stores
def test_every_step_is_on_the_record(books):
    """Who asked and who decided is in the command log; an approval is an act on the chain too."""
    first, second = asked(books), asked(books, amount="7.00")
    approved(books, first.id, amount="0.50", reason="for the launch")
    denied(books, second.id)
    with books.store.read() as tx:
        log = [(row.name, row.actor, row.outcome) for row in tx.rows(
            "SELECT name, actor, outcome FROM command WHERE name LIKE 'budget%' ORDER BY seq")]  # fmt: skip
        (act,) = acts(tx, "2026-10")
    assert log == [
        ("budget request", "dana@acme", "request 1"),
        ("budget request", "dana@acme", "request 2"),
        ("budget approve", "boss@acme", act.id),
        ("budget deny", "boss@acme", "request 2 denied"),
    ]
    assert (act.kind, act.actor, act.text) == (ActKind.APPROVAL, "boss@acme", "for the launch")
    assert act.details["budget"] == "feature:bot"
    assert (act.details["amount"], act.details["requested_by"]) == ("0.500000000", "dana@acme")
    assert books.failing("INV-15") == {}


def test_an_approval_is_whole_or_not_at_all(books, monkeypatch):
    request = asked(books)

    def die(name):
        if name == "budget.approved":
            raise KeyboardInterrupt

    monkeypatch.setattr(faults, "reached", die)
    with pytest.raises(KeyboardInterrupt):
        approved(books, request.id)
    monkeypatch.undo()
    assert in_force(books) == 2_000_000_000
    with books.store.read() as tx:
        assert not acts(tx, "2026-10")
        assert requests(tx)[0].decision is None


@pytest.mark.both_stores
def test_requests_are_listed_by_month_and_state(books):
    first, second = asked(books), asked(books, period=NOVEMBER)
    denied(books, first.id)
    with books.store.read() as tx:
        assert [one.id for one in requests(tx)] == [1, 2]
        assert [one.id for one in requests(tx, OCTOBER)] == [1]
        assert [one.id for one in requests(tx, every=False)] == [second.id]


def test_two_who_decide_at_once_decide_once(books):
    """The second finds the first one's decision, whichever it is."""
    request = asked(books)
    approved(books, request.id)
    with pytest.raises(BudgetError, match="was approved by boss@acme"):
        approved(books, request.id, "cfo@acme")
    assert in_force(books) == 3_000_000_000


@pytest.mark.both_stores
def test_a_committed_budget_is_charged_with_its_grants(books):
    approved(books, asked(books).id)
    books.run()
    assert books.balances("2026-10")["Charge:a:usage"] == "3.00"
    assert books.statements().statement("a").total_cents == 300
