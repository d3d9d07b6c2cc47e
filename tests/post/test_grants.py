"""What an approver grants is in force for a run, and each run names up to which decision it knew."""

import pytest

from company import Company, org, usage
from people import approved, asked, at
from tallybook.clock import Period
from tallybook.post.basis import basis_at, books_at
from tallybook.post.sheet import Versions, latest_sheet

BUDGETS = "budgets: [{feature: bot, from: 2026-10, monthly: '2.00', approvers: [boss@acme]}]"
POLICY = """
versions:
  - effective_from: 2026-01
    default: {model: use_case_budget, charge: committed}
    limits: {unallocated: "100%"}
"""
PRICES = """
currency: USD
contracts:
  - {contract: C1, provider: X, model: x-1, per_million_tokens: {input_uncached: "10", output: "50"}}
"""
OCTOBER = Period(2026, 10)


@pytest.fixture
def books(tmp_path):
    made = Company(tmp_path / "acme", now="2026-10-20T09:00:00Z")
    made.apply(org=org(), policy=POLICY, prices=PRICES, budgets=BUDGETS)
    made.ingest(usage())
    yield made
    made.store.close()


def grant(books, amount, period=OCTOBER):
    approved(books, asked(books, amount, period=period).id)


def charged(books):
    return books.balances("2026-10")["Charge:a:usage"]


def test_a_commitment_is_charged_with_what_was_granted(books):
    books.run()
    assert charged(books) == "2.00"
    grant(books, "0.50")
    books.run()
    assert charged(books) == "2.50"
    assert not books.run().entries


def test_a_run_names_the_last_decision_that_it_knew(books):
    books.run()
    grant(books, "0.50")
    with books.store.read() as tx:
        before = latest_sheet(tx, "2026-10").versions
    books.run()
    with books.store.read() as tx:
        after = latest_sheet(tx, "2026-10").versions
        then, _ = books_at(tx, OCTOBER, before)
    assert (before.decisions, after.decisions) == (0, 1)
    assert then.budgets.in_force("bot", OCTOBER) == 2 * 10**9
    again = basis_at(books.store, OCTOBER, after)
    assert again.books.budgets.in_force("bot", OCTOBER) == 2_500_000_000
    assert again.versions.decisions == 1


def test_a_grant_of_another_month_moves_nothing(books):
    books.run()
    grant(books, "0.50", OCTOBER.next())
    assert not books.run().entries
    with books.store.read() as tx:
        assert latest_sheet(tx, "2026-10").versions.decisions == 0


def test_a_month_without_a_budget_names_no_decisions(books):
    books.apply(budgets="budgets: []")
    books.run()
    with books.store.read() as tx:
        versions = latest_sheet(tx, "2026-10").versions
    assert versions.decisions == -1
    assert "decisions" not in versions.as_dict()


def test_versions_from_before_there_were_decisions_are_read(books):
    books.run()
    with books.store.read() as tx:
        kept = latest_sheet(tx, "2026-10").versions.as_dict()
    del kept["decisions"]
    assert Versions.of(kept).decisions == -1


def test_a_decision_while_a_run_computes_is_seen(books, monkeypatch):
    """A grant that comes between the reading and the posting makes the run compute again."""
    import tallybook.post.run as room  # noqa: PLC0415

    real, done = room.compute_since, []

    def compute(store, basis):
        if not done:
            grant(books, "0.50")
            done.append(True)
        return real(store, basis)

    monkeypatch.setattr(room, "compute_since", compute)
    books.run()
    assert charged(books) == "2.50"


def test_issued_statements_are_made_again_to_the_byte_with_their_grants(books):
    grant(books, "0.50")
    books.run()
    at(books, "2026-11-09T09:00:00Z")
    books.close()
    assert books.rebuilt() == {("2026-10", 1): ""}
    assert books.failing() == {}
