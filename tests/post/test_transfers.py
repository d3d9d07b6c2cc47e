"""Transfer prices in the journal: what changes later posts its difference, and nothing else."""

import pytest

from company import org, policy, usage

PRICED = 'transfer: transfer_price, price: "%s", per: %s, feature: find'
CALLED = {"provider": "Y", "model": "y-1", "service": "retrieval"}


def at(price="0.50", per="call"):
    return org().replace("transfer: caller_pays", PRICED % (price, per))


@pytest.fixture
def priced(found_company):
    """Books in which calls of team a to retrieval cost 0.50 each."""
    company = found_company(org=at())
    company.ingest(usage("1"), *(usage(f"r{n}", **CALLED) for n in range(4)))
    company.run()
    return company


def legs(company, period=None):
    """Each leg's balance by account and service period."""
    found = {}
    for entry in company.journal(period):
        for posting in entry.postings:
            if posting.source.startswith("transfer:"):
                key = (posting.account, posting.detail, posting.service_period)
                found[key] = found.get(key, 0) + posting.amount_nano
    return {key[:2]: nano / 10**9 for key, nano in found.items() if nano}


def both(amount):
    return {
        ("Charge:a:transfer", "owed to b"): amount,
        ("Charge:b:transfer", "earned from a"): -amount,
    }


def test_both_legs_stand_in_one_entry_of_their_own(priced):
    (entry,) = [e for e in priced.journal() if str(e.reason) == "transfer"]
    assert entry.text == "Owed between teams at the transfer price: retrieval"
    assert legs(priced) == both(2.0)
    assert {posting.price_version for posting in entry.postings} == {""}
    assert priced.failing() == {}


def test_running_twice_posts_nothing(priced):
    assert priced.run().entries == ()


def test_more_calls_post_the_difference(priced):
    priced.ingest(usage("r9", **CALLED))
    priced.run()
    last = priced.journal()[-1]
    assert sorted(p.amount_nano for p in last.postings) == [-5 * 10**8, 5 * 10**8]
    assert legs(priced) == both(2.5)
    assert priced.failing() == {}


def test_a_price_that_was_wrong_posts_the_difference_and_moves_no_cost(priced):
    before = priced.balances()
    priced.apply(org=at("0.75"))
    posted = priced.run().entries
    assert [str(e.reason) for e in priced.journal() if e.id in posted] == ["transfer"]
    assert legs(priced) == both(3.0)
    moved = {name for name, held in priced.balances().items() if before.get(name) != held}
    assert moved == {"Charge:a:transfer", "Charge:b:transfer"}


def test_each_call_owes_the_price_of_its_instant(found_company):
    row = "  - {id: retrieval, name: Retrieval, team: b, " + PRICED
    rows = (
        f"{row % ('0.50', 'call')}, to: 2026-10-10}}\n{row % ('2.00', 'call')}, from: 2026-10-10}}"
    )
    old = "  - {id: retrieval, name: Retrieval, team: b, transfer: caller_pays}"
    company = found_company(org=org().replace(old, rows))
    company.ingest(usage("1", **CALLED), usage("2", started_at="2026-10-10T00:00:00Z", **CALLED))
    company.run()
    assert legs(company) == both(2.5)


def test_an_outcome_is_a_call_that_did_not_fail(found_company):
    company = found_company(org=at("0.50", "outcome"))
    company.ingest(usage("1", **CALLED), usage("2", status="error", **CALLED))
    company.run()
    assert legs(company) == both(0.5)


def test_a_team_that_moves_to_showback_takes_its_leg_with_it(priced):
    shown = policy("2020-01").replace("    pools:", "    teams: {b: {model: showback}}\n    pools:")
    priced.apply(policy=shown)
    priced.run()
    assert legs(priced) == {
        ("Charge:a:transfer", "owed to b"): 2.0,
        ("Absorption:transfer", "earned from a"): -2.0,
    }
    assert priced.failing() == {}


def test_late_calls_are_owed_for_in_the_month_that_they_land_in(priced):
    priced.close()
    priced.apply(org=at("9.00"))  # what the close froze decides
    priced.ingest(usage("late", **CALLED))
    priced.run("2026-11")
    assert legs(priced, "2026-10") == both(2.0)
    assert legs(priced, "2026-11") == both(0.5)
    november = priced.statements("2026-11")
    told = {
        each.team: {line.label: line.amount_cents for line in each.lines}
        for each in november.statements
    }
    for team, cents in (("a", 50), ("b", -50)):
        label = f"October, transfer prices of late calls (S-2026-10-{team} v1)"
        assert told[team][label] == cents
    assert priced.failing() == {}
    assert set(priced.rebuilt().values()) == {""}


def test_a_reopened_month_takes_its_prices_back(priced):
    priced.close()
    priced.ingest(usage("late", **CALLED))
    priced.run("2026-11")
    priced.reopen()
    priced.run()
    assert legs(priced, "2026-10") == both(2.5)
    assert legs(priced, "2026-11") == {}
    priced.close()
    again = priced.statements()
    assert (again.version, again.status) == (2, "corrected")
    assert {one.label for one in again.differences if one.team == "a"} >= {
        "Owed to Team B: retrieval, transfer price 0.50 a call, production",
    }
    assert set(priced.rebuilt().values()) == {""}
    assert priced.failing() == {}
