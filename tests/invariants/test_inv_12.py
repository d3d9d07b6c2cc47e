"""INV-12: the models change only who pays, for every mixture on the same month."""

from collections import defaultdict
from itertools import product

import pytest

from company import org, policy, usage

MODELS = {
    "showback": "{model: showback}",
    "proportional": "{model: proportional}",
    "real_cost": '{model: real_cost, markup: "15%"}',
    "actual": "{model: use_case_budget, charge: actual}",
    "committed": "{model: use_case_budget, charge: committed}",
}
BUDGETS = """
budgets:
  - {feature: bot, from: 2026-01, monthly: "7.00"}
  - {feature: find, from: 2026-01, monthly: "0.50"}
"""
EVENTS = (
    usage("1"),
    usage("2", tokens={"input_uncached": 1_234_567, "output": 89_013}),
    usage("3", purpose="evaluation"),
    usage("4", provider="Y", model="y-1", service="retrieval"),
    usage("5", provider="Y", model="y-1", team="b", feature="find"),
    usage("6", team=None, feature=None),
    usage("7", team="b", feature=None, purpose=None),
)
CENTRAL = ("Cost", "Pool", "Variance", "Absorption", "Suspense", "Rounding")
LEDGER_COST = 54_236_320_000
COST_SOURCES = ("meter", "pool", "evaluation")


def mixture(a, b):
    teams = f"    teams: {{a: {MODELS[a]}, b: {MODELS[b]}}}\n    pools:"
    return policy().replace("    pools:", teams)


@pytest.fixture(scope="module")
def month(tmp_path_factory):
    """One month that changes its policy again and again, in one set of books."""
    from company import PRICES, Company  # noqa: PLC0415

    company = Company(tmp_path_factory.mktemp("month") / "books")
    company.apply(org=org(), policy=mixture("showback", "showback"), prices=PRICES, budgets=BUDGETS)
    company.ingest(*EVENTS)
    company.pool("2026-10", "gateway", "33.00")
    yield company
    company.store.close()


def families(company):
    held = defaultdict(int)
    for entry in company.journal():
        for posting in entry.postings:
            held[posting.account.partition(":")[0]] += posting.amount_nano
    return held


def cost_layer(company):
    held = defaultdict(int)
    for entry in company.journal():
        for p in entry.postings:
            if p.source.partition(":")[0] in COST_SOURCES:
                held[p.account, p.provider, p.source] += p.amount_nano
    return {key: nano for key, nano in held.items() if nano}


@pytest.mark.parametrize(("a", "b"), list(product(MODELS, MODELS)))
def test_every_mixture_gives_one_ledger_cost(month, a, b):
    month.apply(policy=mixture(a, b))
    month.run()
    held = families(month)
    assert held["Charge"] + sum(held[name] for name in CENTRAL) == LEDGER_COST
    assert held["Accrued"] + held["Source"] == -LEDGER_COST
    assert cost_layer(month) == {
        ("Accrued:X", "X", "meter:X"): -20_796_320_000,
        ("Accrued:Y", "Y", "meter:Y"): -440_000_000,
        ("Cost:X", "X", "meter:X"): 20_796_320_000,
        ("Cost:Y", "Y", "meter:Y"): 440_000_000,
        ("Pool:gateway", "", "pool:gateway"): 30_000_000_000,
        ("Variance:pool", "", "pool:gateway"): 3_000_000_000,
        ("Source:gateway", "", "pool:gateway"): -33_000_000_000,
        ("Cost:X", "X", "evaluation"): -1_000_000_000,
        ("Pool:quality", "X", "evaluation"): 1_000_000_000,
    }
    issue = month.statements()
    assert issue.charged_total_cents + issue.central_total_cents == issue.ledger_cost_cents == 5424
    assert month.failing("INV-12", "INV-10") == {}


PRICED = 'transfer: transfer_price, price: "0.75", per: call, feature: find'


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("showback", "real_cost"),
        ("real_cost", "showback"),
        ("showback", "showback"),
        ("committed", "proportional"),
    ],
)
def test_a_transfer_price_keeps_the_ledger_cost(found_company, a, b):
    chart = org().replace("transfer: caller_pays", PRICED)
    company = found_company(org=chart, policy=mixture(a, b), budgets=BUDGETS)
    company.ingest(*EVENTS)
    company.run()
    held = families(company)
    assert held["Charge"] + sum(held[name] for name in CENTRAL) == LEDGER_COST - 3 * 10**9
    assert held["Memo"] == 0
    issue = company.statements()
    assert issue.charged_total_cents + issue.central_total_cents == issue.ledger_cost_cents == 5124
    assert company.failing() == {}


@pytest.mark.parametrize("account", ["Absorption:transfer", "Cost:X"])
def test_a_leg_that_stands_with_nobody_is_seen(lived, damage, account):
    lived.apply(org=org().replace("transfer: caller_pays", PRICED))
    november = {"started_at": "2026-11-04T10:00:00Z", "service": "retrieval"}
    lived.ingest(usage("p-1", provider="Y", model="y-1", **november))
    lived.run("2026-11")
    assert lived.failing() == {}
    damage(
        f"UPDATE posting SET account = '{account}'"
        " WHERE account LIKE 'Charge:a%' AND source = 'transfer:retrieval'"
    )
    assert "2026-11: Charge:a:transfer for retrieval stands at 0" in lived.failing()["INV-12"]


def test_cost_left_with_the_wrong_team_is_seen(lived, damage):
    damage(
        "UPDATE posting SET account = 'Absorption:markup'"
        " WHERE account LIKE 'Cost:%' AND source = 'charge:real_cost'"
    )
    assert {"INV-10", "INV-12", "INV-15"} == set(lived.failing())


def test_a_charge_layer_that_touches_what_is_owed_is_seen(lived, damage):
    damage(
        "UPDATE posting SET account = 'Accrued:X'"
        " WHERE account LIKE 'Cost:%' AND source = 'charge:real_cost'"
    )
    assert "the charge layer touches Accrued:X" in lived.failing("INV-12")["INV-12"]
