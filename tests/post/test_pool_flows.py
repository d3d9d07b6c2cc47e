"""Pools that serve pools on real books: what is posted, proven and explained."""

import pytest

from company import usage
from tallybook.errors import AllocationError, BooksError
from tallybook.ledger.model import Reason
from tallybook.report.explain import explain

POLICY = """
versions:
  - effective_from: 2026-01
    default: {model: %s}
    pool_method: %s
    pool_order: [quality, gateway]
    pools:
      - {id: gateway, monthly: "30.00", driver: calls, serves: {quality: "%s"}, recovered_by: markup}
      - {id: quality, driver: production_cost, serves: {gateway: "10%%"}}
      - {id: seats, monthly: "9.00", driver: headcount, fallback: equal}
    evaluation: {funding: pooled, pool: quality}
    limits: {unallocated: "100%%"}
"""


def policy(model="real_cost", method="reciprocal", serves="20%"):
    return POLICY % (model, method, serves)


def with_heads(text):
    return text.replace("unit: main, ", "unit: main, headcount: 2, ")


@pytest.fixture
def serving(found_company):
    def made(**changes):
        company = found_company()
        company.apply(org=with_heads(company._files["org"]), policy=policy(**changes))
        company.ingest(
            usage("a-1"),
            usage("a-2"),
            usage("a-3", purpose="evaluation"),
            usage("b-1", team="b", feature="find"),
        )
        return company

    return made


def entry_of_flows(company):
    return [entry for entry in company.journal() if entry.reason is Reason.POOL_FLOW]


def test_flows_are_one_entry_of_the_cost_layer(serving):
    company = serving()
    company.run()
    (entry,) = entry_of_flows(company)
    assert {posting.source for posting in entry.postings} == {"pools"}
    # quality holds 1.00 of evaluation: x_g = 30 + 10 % x_q, x_q = 1 + 20 % x_g; x_g = 30.1 / 0.98.
    found = {(p.account, p.kind, p.detail): p.amount_nano for p in entry.postings}
    assert found == {
        ("Pool:quality", "received", "gateway"): 6_142_857_143,
        ("Pool:gateway", "given", "quality"): -6_142_857_143,
        ("Pool:gateway", "received", "quality"): 714_285_714,
        ("Pool:quality", "given", "gateway"): -714_285_714,
    }
    assert not {a for a in company.balances() if a.startswith("Pool:")}
    assert company.run().entries == ()


@pytest.mark.parametrize("method", ["direct", "step_down", "reciprocal"])
@pytest.mark.parametrize("model", ["showback", "proportional", "real_cost", "use_case_budget"])
def test_the_month_closes_and_every_check_holds(serving, model, method):
    company = serving(model=model, method=method)
    company.run()
    assert bool(entry_of_flows(company)) == (method != "direct")
    company.close()
    assert company.failing() == {}


def test_a_new_method_posts_the_difference(serving):
    company = serving()
    company.run()
    company.apply(policy=policy(method="direct"))
    company.run()
    company.apply(policy=policy(method="step_down"))
    company.run()
    # Closed first, quality passes on 10 % of 1.00; what gateway would give back stays for teams.
    found = {}
    for entry in entry_of_flows(company):
        for p in entry.postings:
            key = (p.account, p.kind, p.detail)
            found[key] = found.get(key, 0) + p.amount_nano
    assert {key: nano for key, nano in found.items() if nano} == {
        ("Pool:gateway", "received", "quality"): 100_000_000,
        ("Pool:quality", "given", "gateway"): -100_000_000,
    }
    assert company.failing() == {}


def test_explain_names_the_steps_between_pools(serving):
    company = serving()
    company.run()
    lines = {
        line.detail: line.id
        for statement in company.statements().statements
        for line in statement.lines
        if line.kind in ("evaluation", "pool") and not line.shown_only
    }
    steps = [
        (s.what, s.detail, s.amount_nano)
        for s in explain(company.store, lines["quality"]).allocated
    ]
    assert ("pool quality", "its own amount", 1_000_000_000) in steps
    assert (
        "pool quality",
        "from pool gateway: serves 20 %, reciprocal",
        6_142_857_143,
    ) in steps
    assert ("pool quality", "to pool gateway: serves 10 %, reciprocal", -714_285_714) in steps
    teams = [
        nano for what, detail, nano in steps if what == "pool quality" and "production" in detail
    ]
    assert sum(teams) == 1_000_000_000 + 6_142_857_143 - 714_285_714
    (entry,) = entry_of_flows(company)
    assert ("pool gateway", "its own amount", 30_000_000_000) in [
        (s.what, s.detail, s.amount_nano) for s in explain(company.store, entry.id).allocated
    ]
    seats = explain(company.store, lines["seats"]).allocated
    assert "a: headcount 2 of 4" in [share.detail for share in seats]


def test_an_unstated_headcount_stops_the_run_and_names_the_team(serving):
    company = serving()
    company.apply(org=company._files["org"].replace("headcount: 2, ", "", 1))
    with pytest.raises(AllocationError, match="team 'a' states no headcount") as refused:
        company.run()
    assert "add headcount" in refused.value.next_step
    assert company.journal() == []


def test_a_closed_circle_is_refused_at_apply(serving):
    company = serving()
    circle = policy(serves="100%").replace('gateway: "10%"', 'gateway: "100%"')
    with pytest.raises(BooksError, match="gateway -> quality -> gateway"):
        company.apply(policy=circle)
