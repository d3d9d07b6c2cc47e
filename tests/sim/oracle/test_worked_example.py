"""The worked example, column by column: every figure must come out of the oracle exactly."""

from fractions import Fraction

import pytest

from tallybook.sim.oracle import Expectation, expected

ORG = """
company: {name: Example, currency: USD, fiscal_year_start: 2026-01, timezone: UTC}
business_units: [{id: all, name: All, legal_entity: one}]
teams:
  - {id: A, name: Support, unit: all, cost_center: "1"}
  - {id: B, name: Search, unit: all, cost_center: "2"}
  - {id: platform, name: Platform, unit: all, cost_center: "3"}
features:
  - {id: bot, team: A, name: Bot}
  - {id: find, team: B, name: Find}
services:
  - {id: retrieval, name: Retrieval, team: B, transfer: caller_pays}
unowned: {team: platform}
"""

PRICES = """
contracts:
  - {contract: P, provider: X, model: talk, per_million_tokens: {input_uncached: "125"}, to: 2026-10-11}
  - {contract: P, provider: X, model: talk, per_million_tokens: {input_uncached: "75"}, from: 2026-10-11}
  - {contract: P, provider: X, model: judge, per_million_tokens: {output: "100"}}
  - {contract: P, provider: Y, model: "*", per_million_tokens: {cache_read: "100", cache_write: "40"}}
"""

BUDGETS = """
budgets:
  - {feature: bot, from: 2026-09, to: 2026-11, monthly: "700"}
  - {feature: bot, from: 2026-11, monthly: "9999"}
  - {feature: find, from: 2026-01, monthly: "150.00"}
increases:
  - {feature: find, month: 2026-10, amount: "30", approved_by: f, approved_on: 2026-10-20}
  - {feature: find, month: 2026-11, amount: "3000", approved_by: f, approved_on: 2026-11-20}
"""

POLICY = """
versions:
  - effective_from: 2026-01
    default: {model: showback}
    pools: [{id: nothing, monthly: "1", driver: equal}]
  - effective_from: 2026-10
    default: {%s}
    teams: {%s}
    rate_card: {basis: contract, freeze: monthly}
    pool_method: direct
    pools:
      - {id: gateway, monthly: "150.00", driver: calls, recovered_by: markup}
      - {id: quality, driver: production_cost}
    evaluation: {funding: pooled, pool: quality}
    variance: absorb
  - effective_from: 2026-11
    default: {model: showback}
"""

MODELS = {
    "showback": ("model: showback", ""),
    "proportional": ("model: proportional", ""),
    "real_cost": ('model: real_cost, markup: "15%"', ""),
    "actual": ("model: use_case_budget, charge: actual", ""),
    "committed": ("model: use_case_budget, charge: committed", ""),
    "mixed": ("model: showback", 'A: {model: real_cost, markup: "15%"}'),
    "priced": ('model: real_cost, markup: "15%"', ""),
}
AT_A_PRICE = 'transfer: transfer_price, price: "6.00", per: call'
"""The service retrieval in the last column."""

COLUMNS = [*MODELS]
TRIAL_BALANCE = """
Cost:X             |  550 |   50 |   50 |   50 |   50 |   50 |     50
Cost:Y             |  300 |      |      |      |      |  200 |
Pool:gateway       |  150 |      |      |      |      |   50 |
Pool:quality       |  100 |      |      |      |      |   25 |
Variance:rate_card |  -40 |  -40 |  -40 |  -40 |  -40 |  -40 |    -40
Variance:pool      |   10 |   10 |   10 |   10 |   10 |   10 |     10
Absorption:markup  |      |      |   30 |      |      |   10 |     30
Absorption:budget  |      |      |      |      | -100 |      |
Charge:A:usage     |      |  400 |  500 |  500 |  700 |  500 |    500
Charge:A:transfer  |      |      |  100 |  100 |      |  100 |    120
Charge:A:markup    |      |      |   90 |      |      |   90 |     75
Charge:A:pool      |      |  100 |      |  100 |  100 |      |
Charge:A:evaluation|      |   75 |   75 |   75 |   75 |   75 |  62.50
Charge:B:usage     |      |  400 |  200 |  200 |  200 | |    300
Charge:B:transfer  |      |      |      |      |      |      | -120
Charge:B:markup    |      |      |   30 |      |      | |     45
Charge:B:pool      |      |   50 |      |   50 |   50 |      |
Charge:B:evaluation|      |   25 |   25 |   25 |   25 | |  37.50
Accrued:X          | -610 | -610 | -610 | -610 | -610 | -610 |   -610
Accrued:Y          | -300 | -300 | -300 | -300 | -300 | -300 |   -300
Source:gateway     | -160 | -160 | -160 | -160 | -160 | -160 |   -160
Memo:Shown:A       |  775 |      |      |      |      |      |
Memo:Shown:B       |  275 |      |      |      |      |  275 |
Memo:Contra        |-1050 |      |      |      |      | -275 |
"""

TOTALS = {
    "showback": ("0 0 1070", "0.9813"),
    "proportional": ("575 475 20", "0.1869"),
    "real_cost": ("765 255 50", "0.0280"),
    "actual": ("775 275 20", "0.0000"),
    "committed": ("875 275 -80", "0.0935"),
    "mixed": ("765 0 305", "0.2664"),
    "priced": ("757.50 262.50 50", "0.0280"),
}


def call(row: str, number: int, day: int, model: str, **carries: object) -> dict[str, object]:
    provider, name = model.split("/")
    return {
        "event_id": f"{row}-{number}",
        "source": "gateway",
        "started_at": f"2026-10-{day:02}T12:00:00Z",
        "provider": provider,
        "model": name,
        **carries,
    }


def october() -> list[dict[str, object]]:
    """The rows r1 to r5; X's talk costs 10.00 a call until 10 October and 6.00 from the 11th."""
    a = {"team": "A", "feature": "bot", "purpose": "production"}
    b = {"feature": "find", "purpose": "production"}
    talk, judge = {"input_uncached": 80_000}, {"output": 100_000, "reasoning": 9}
    fetch, find = {"cache_read": 50_000}, {"cache_write": 125_000}
    test = a | {"purpose": "evaluation"}
    return [
        *(call("r1", n, 11 if n < 10 else 10, "X/talk", tokens=talk, **a) for n in range(50)),
        *(call("r2", n, 3, "X/judge", tokens=judge, **test) for n in range(10)),
        *(call("r3", n, 4, "Y/a", tokens=fetch, service="retrieval", **a) for n in range(20)),
        *(call("r4", n, 31, "Y/b", tokens=find, **b) for n in range(40)),
        *(call("r5", n, 1, "X/judge", tokens=judge, team="nobody") for n in range(5)),
    ]


def month(model: str, events: list[dict[str, object]] | None = None) -> Expectation:
    org = ORG.replace("transfer: caller_pays", AT_A_PRICE) if model == "priced" else ORG
    books = {"org": org, "policy": POLICY % MODELS[model], "prices": PRICES, "budgets": BUDGETS}
    calls = october() if events is None else events
    return expected(books, {}, calls, {"gateway": "160"}, "2026-10")


def column(model: str) -> dict[str, Fraction]:
    place = COLUMNS.index(model) + 1
    rows = [[cell.strip() for cell in row.split("|")] for row in TRIAL_BALANCE.strip().split("\n")]
    return {row[0]: Fraction(row[place]) for row in rows if row[place]}


@pytest.mark.parametrize("model", COLUMNS)
def test_the_trial_balance_is_the_column(model: str) -> None:
    assert month(model).balances == column(model)


@pytest.mark.parametrize("model", COLUMNS)
def test_the_totals_are_the_column(model: str) -> None:
    found, (totals, unfairness) = month(model), TOTALS[model]
    a, b, central = (Fraction(text) for text in totals.split())
    assert (found.by_team["A"].total, found.by_team["B"].total) == (a, b)
    assert (found.charged, found.central, found.ledger_cost) == (a + b, central, 1070)
    fair = (found.by_team["A"].fair, found.by_team["B"].fair)
    assert fair == ((757.5, 292.5) if model == "priced" else (775, 275))
    assert f"{found.unfairness.numerator / found.unfairness.denominator:.4f}" == unfairness


def test_calls_and_tokens_are_the_rows() -> None:
    found = month("real_cost")
    assert (found.calls, found.tokens) == (125, 11_500_000)
    assert {team: (x.calls, x.tokens) for team, x in found.by_team.items()} == {
        "A": (80, 6_000_000),
        "B": (40, 5_000_000),
    }
    assert (found.unallocated, found.unpriced, found.unknown, found.estimated) == (5, 0, 0, 0)


def test_whole_nanos_must_be_booked_exactly() -> None:
    assert set(month("real_cost").parts.values()) == {0}


def test_the_cost_layer_does_not_depend_on_the_model() -> None:
    families = ("Accrued", "Source", "Variance")
    layers = {
        tuple(item for item in month(model).balances.items() if item[0].startswith(families))
        for model in COLUMNS
    }
    assert len(layers) == 1


def test_order_and_repetition_change_nothing() -> None:
    shuffled = [*reversed(october()), *october()]
    assert month("mixed", shuffled).balances == column("mixed")
    assert month("mixed", shuffled).intake.duplicate == 125
