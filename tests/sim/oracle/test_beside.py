"""What the oracle says of a month beside usage, on the figures of docs/accruals.md."""

from fractions import Fraction

import pytest

from tallybook.sim.oracle import expected
from tallybook.sim.oracle.beside import Beside, Bill

ORG = """
company: {name: A, currency: USD, fiscal_year_start: "2026-01", timezone: UTC}
teams: [{id: support}, {id: search}, {id: platform}]
features: [{id: bot, team: support}, {id: find, team: search}]
unowned: {team: platform}
"""
POLICY = """
versions:
  - effective_from: "2026-01"
    default: {model: use_case_budget, charge: actual}
    pools:
      - {id: big, driver: capacity, reserved: {support: "50%", search: "10%"}, idle: platform}
"""
PRICES = """
contracts:
  - {contract: o, provider: openai, per_million_tokens: {output: "10.00"}}
  - {contract: m, provider: mistral, currency: EUR, per_million_tokens: {output: "6.00"}}
rates:
  - {currency: EUR, date: 2026-10-01, rate: "1.1"}
  - {currency: EUR, date: 2026-10-20, rate: "1.2"}
credits:
  - {id: gift, provider: openai, amount: "30.00", cost: "0", bought: 2026-10-01, expires: 2026-10-15}
  - {id: pack, provider: openai, amount: "100", cost: "80", bought: 2026-10-02, expires: 2026-12-01}
commitments:
  - {id: deal, provider: mistral, amount: "12.00", from: 2026-10, to: 2027-10}
capacity:
  - {id: ptu, provider: azure, model: "gpt-4o*", tier: provisioned, pool: big,
     hourly: "1.00", count: 100, full: 5000000, from: 2026-10-01}
"""
TEXTS = {"org": ORG, "policy": POLICY, "prices": PRICES}
OCTOBER = "2026-10"


def call(day, output, provider="openai", team="support", **more):
    feature = {"support": "bot", "search": "find"}[team]
    return {"event_id": f"{provider}-{team}-{day}", "source": "gateway", "provider": provider,
            "started_at": f"2026-10-{day:02}T12:00:00Z", "model": "any", "team": team,
            "feature": feature, "purpose": "production", "status": "ok",
            "tokens": {"output": output}, **more}  # fmt: skip


@pytest.fixture
def beside():
    made = Beside(TEXTS)
    made.use(OCTOBER, [call(1, 5_000_000), call(3, 2_000_000), call(20, 4_000_000),
                       call(10, 100_000, "mistral")])  # fmt: skip
    made.accrue(OCTOBER)
    return made


def test_what_expires_first_pays_first_and_a_shortfall_is_straight_line(beside):
    held = beside.about(OCTOBER)
    # The gift pays 30 of the first day, the pack 20 and 40 of 100 that cost 80.
    assert held["Prepaid:openai"] == 80 - Fraction(60 * 80, 100)
    assert held["Payable:openai"] == -80
    assert held["Variance:credit"] == -30 - 12
    assert held["Accrued:openai"] == 90
    # 0.6 euros at 1.1 are spent, 1.00 should be; the closing rate is 1.2.
    assert held["Variance:commitment"] == 1 - Fraction("0.66")
    assert held["Variance:fx"] == Fraction("0.06")


def test_an_invoice_releases_what_was_expected_and_clears_what_it_bills(beside):
    truth = {("minimum", ""): Fraction("0.5")}
    beside.true_up(Bill("mistral", OCTOBER, Fraction("1.16"), truth, "search"))
    held = beside.about(OCTOBER)
    assert "Variance:fx" not in held or not held["Variance:fx"]
    assert held["Variance:minimum"] == Fraction("0.5") - Fraction("0.34")
    # 0.66 of usage is not metered here; what the invoice cleared is on the account.
    assert held["Accrued:mistral"] == Fraction("0.66")
    assert beside.owed("mistral", OCTOBER, "commitment") == Fraction("0.34")


def test_who_reserved_pays_then_who_used_and_the_rest_is_idle():
    on = {"provider": "azure", "model": "gpt-4o-mini", "tier": "provisioned"}
    events = [call(5, 3_000_000, **on), call(6, 1_000_000, team="search", **on)]
    found = expected(TEXTS, {}, events, {}, OCTOBER)
    whole = 744 * 100
    # Support used half a million beyond its half, search the same beyond its tenth: of two million
    # that nobody reserved each filled a quarter.
    assert found.balances["Charge:support:pool"] == whole * (Fraction(1, 2) + Fraction(1, 10))
    assert found.balances["Charge:search:pool"] == whole * (Fraction(1, 10) + Fraction(1, 10))
    assert found.balances["Pool:big"] == whole * Fraction(1, 5)
    assert found.balances["Accrued:azure"] == -whole
    assert found.unpriced == 0
