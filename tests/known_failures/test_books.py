"""Documented failures of others in applying budgets and policies, by their exhibit numbers."""

from __future__ import annotations

import pytest

from company import org, usage
from tallybook.errors import BooksError

FOOD = org().replace(
    "features:\n",
    "features:\n"
    "  - {id: food, team: a, name: Food}\n"
    "  - {id: food-truck, team: a, name: Food truck}\n",
)  # fmt: skip
COMMITTED = """
versions:
  - effective_from: 2026-01
    default: {model: use_case_budget, charge: committed}
"""
BUDGET = 'budgets:\n  - {feature: %s, from: 2026-01, monthly: "%s"}\n'


@pytest.mark.parametrize(
    ("feature", "budget", "used_cents", "lines"),
    [
        ("food", "120.00", 100_00, {"Food": [100_00, 20_00], "Food truck": [50_00]}),
        ("food-truck", "60.00", 50_00, {"Food": [100_00], "Food truck": [50_00, 10_00]}),
    ],
)
def test_m05_a_budget_is_of_one_feature_not_of_its_prefix(
    found_company, feature, budget, used_cents, lines
):
    """Fava (`core/budgets.py:178`): a budget on Expenses:Food took in Expenses:FoodTruck.

    Usage of 100 on `food` and 50 on `food-truck`. Theirs 150 under the one budget. Ours 100: a
    budget takes in its own feature and no other, whichever name begins the other.
    """
    company = found_company(org=FOOD, policy=COMMITTED, budgets=BUDGET % (feature, budget))
    company.ingest(
        usage("1", feature="food", tokens={"output": 2_000_000}),
        usage("2", feature="food-truck", tokens={"output": 1_000_000}),
    )
    company.run()
    statement = company.statements().statement("a")
    assert statement.budget.used_cents == used_cents
    found: dict[str, list[int]] = {}
    for line in statement.lines:
        found.setdefault(line.feature_name, []).append(line.amount_cents)
    assert found == lines


THREE = org().replace("teams:\n", "teams:\n  - {id: c, name: Team C, unit: main}\n", 1)
VERSION = """
  - effective_from: %s
    default: {model: use_case_budget}
    pools:
      - {id: rent, monthly: "100.00", driver: fixed, weights: {%s}}
"""
FIRST, SECOND = "a: 30, b: 30, c: 40", "a: 50, b: 50"


def versions(*rows: tuple[str, str]) -> str:
    return "versions:" + "".join(VERSION % row for row in rows)


def pools(company, period: str) -> dict[str, str]:
    ends = ":pool"
    return {k: v for k, v in company.balances(period).items() if k.endswith(ends)}


BEFORE = {"Charge:a:pool": "30.00", "Charge:b:pool": "30.00", "Charge:c:pool": "40.00"}
AFTER = {"Charge:a:pool": "50.00", "Charge:b:pool": "50.00"}


def test_m08_exactly_one_policy_version_applies(found_company):
    """ERPNext PR #43216: v1 30/30/40, then v2 50/50; the third was still charged its 40.

    A pool of 100 in the last month of v1 and in the first of v2, in either order of writing. Ours:
    30/30/40, then 50/50 and nothing for the third; two versions for one month are refused.
    """
    rows = (("2026-01", FIRST), ("2026-11", SECOND))
    for name, written in (("as dated", rows), ("reversed", rows[::-1])):
        company = found_company(name, org=THREE, policy=versions(*written))
        for period in ("2026-10", "2026-11"):
            company.run(period)
        assert pools(company, "2026-10") == BEFORE
        assert pools(company, "2026-11") == AFTER
    with pytest.raises(BooksError, match="two versions take effect in 2026-11"):
        company.apply(policy=versions(("2026-11", FIRST), ("2026-11", SECOND)))


def test_m08_a_version_rewritten_while_the_month_is_open_leaves_nothing_behind(found_company):
    """The same split, the second policy recorded after the first was run. Ours: 50/50, no 40."""
    company = found_company(org=THREE, policy=versions(("2026-01", FIRST)))
    company.run()
    assert pools(company, "2026-10") == BEFORE
    company.apply(policy=versions(("2026-01", SECOND)))
    company.run()
    assert pools(company, "2026-10") == AFTER
    assert company.failing() == {}
