"""The recommended model: every bound at its edge, disagreement, and moves that sum to zero."""

from __future__ import annotations

import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallybook.allocate.compare import CURRENT, compare
from tallybook.allocate.model import CostCell, Month
from tallybook.allocate.recommend import misplaced_share, price_spread, recommend, use_cases
from tallybook.books.model import Evaluation, TeamPolicy

sys.path.insert(0, str(Path(__file__).parent))
import worked_example as law

CHARGING = ("proportional", "real_cost", "use_case_budget")
ANSWERING = ("real_cost", "use_case_budget")
CENT = law.UNIT // 100


def use(team, feature, card_nano, tokens, purpose="production", calls=1):
    return CostCell(
        provider="X",
        team=team,
        feature=feature,
        purpose=purpose,
        kind="usage",
        service="",
        executor=team,
        fallback=False,
        calls=calls,
        tokens=tokens,
        card_pico=card_nano * 1000,
        card_nano=card_nano,
        variance_nano=0,
    )


def month_of(*cells, default="proportional", budgets=None):
    policy = replace(law.policy(TeamPolicy(default)), pools=(), evaluation=Evaluation())
    return Month(
        period="2026-10",
        cells=cells,
        policy=policy,
        pools=(),
        budgets=budgets or {},
        teams=("A", "B", "platform"),
        unowned="platform",
        owner_of={},
    )


def sized(count, bill_nano):
    """A month of ``count`` use cases of one team, and a bill to the unit."""
    first = use("A", "f0", bill_nano - (count - 1) * law.UNIT, 10)
    return month_of(first, *(use("A", f"f{n}", law.UNIT, 10) for n in range(1, count)))


def advised(month, budgeting=None, currency="USD"):
    return recommend(month, compare(month), budgeting, currency)


def reason(name, found):
    return next(each for each in found.reasons if each.name == name)


@pytest.mark.parametrize(
    ("count", "bill", "points_to"),
    [
        (1, "100", ("showback",)),
        (3, "9999.999999999", ("showback",)),
        (3, "10000", CHARGING),
        (4, "9999.99", CHARGING),
        (9, "50000", CHARGING),
        (1, "50000", CHARGING),
        (1, "50000.000000001", ANSWERING),
        (10, "100", ANSWERING),
    ],
)
def test_size_at_its_bounds(count, bill, points_to):
    assert reason("size", advised(sized(count, law.nano(bill)))).points_to == points_to


def test_size_says_its_figures():
    assert reason("size", advised(sized(1, law.nano("1234.5")))).figure == (
        "1 use case with production calls, a bill of USD 1,234.50"
    )
    assert "3 use cases" in reason("size", advised(sized(3, law.nano("5")))).figure


def test_size_in_another_currency_says_so():
    month = sized(1, law.nano("100"))
    assert "in EUR, the currency of the books" in reason("size", advised(month, None, "EUR")).says
    assert "currency of the books" not in reason("size", advised(month)).says


def test_a_use_case_is_a_feature_with_production_calls():
    month = month_of(
        use("A", "bot", 1, 1),
        use("B", "bot", 1, 1),
        use("A", "", 1, 1),
        use("A", "tried", 1, 1, purpose="experiment"),
        use("A", "credited", -1, 0, calls=0),
    )
    assert use_cases(month) == 1


@pytest.mark.parametrize(
    ("stated", "points_to"),
    [
        ("cloud_finops", ("proportional", "real_cost")),
        ("annual_capex", ("use_case_budget",)),
        (None, ()),
    ],
)
def test_budgeting(stated, points_to):
    found = reason("budgeting", advised(law.month("mixed"), stated))
    assert (found.figure, found.points_to) == (stated or "Not stated", points_to)
    told = (
        "add budgeting: cloud_finops" in found.says and "version in force in 2026-10" in found.says
    )
    assert told == (stated is None)


@pytest.mark.parametrize(
    ("cents_apart", "points_to"), [(1000, ("proportional",)), (1001, ANSWERING)]
)
def test_difference_at_its_bound(cents_apart, points_to):
    # 200.00 by tokens 1 : 1 is 100.00 each; what one team is over, the other is under.
    apart = cents_apart * CENT
    cells = [use("A", "a", 100 * law.UNIT + apart, 7), use("B", "b", 100 * law.UNIT - apart, 7)]
    assert misplaced_share(cells) == Fraction(cents_apart, 20_000)
    assert reason("difference", advised(month_of(*cells))).points_to == points_to


def test_difference_of_the_worked_example():
    # Usage 600 and 200, by tokens 400 each; evaluation is pooled and untagged is central.
    found = reason("difference", advised(law.month("mixed")))
    assert found.figure == (
        "By tokens, 25.0 % of usage would sit with another team; a million tokens cost"
        " USD 40.00 to 120.00 by use case, spread 50.0 % of the average"
    )
    assert found.points_to == ANSWERING


def test_difference_without_tokens_or_usage():
    searches = [use("A", "a", 5, 0), use("B", "b", 5, 0)]
    assert (misplaced_share(searches), price_spread(searches)) == (1, None)
    credit = [use("A", "a", -5, 3)]
    assert (misplaced_share(credit), price_spread(credit)) == (0, None)
    assert (misplaced_share([]), price_spread([])) == (0, None)
    assert "spread" not in reason("difference", advised(month_of(*searches))).figure


def test_features_may_differ_where_teams_do_not():
    cells = [use("A", "dear", 30, 10), use("A", "cheap", 10, 10), use("B", "", 40, 20)]
    assert misplaced_share(cells) == 0
    found = price_spread(cells)
    assert (found.lowest, found.highest, found.spread) == (1, 3, Fraction(20, 80))


def test_a_feature_that_two_teams_use_is_one_use_case():
    cells = [use("A", "shared", 30, 10), use("B", "shared", 10, 10), use("B", "own", 20, 10)]
    found = price_spread(cells)
    assert (found.lowest, found.highest, found.spread) == (2, 2, 0)


def test_what_no_feature_is_named_for_counts_per_team():
    cells = [use("A", "", 30, 10), use("B", "", 10, 10)]
    found = price_spread(cells)
    assert (found.lowest, found.highest, found.spread) == (1, 3, Fraction(1, 2))


def alike(count=10):
    """Large by its use cases, alike by its prices."""
    return month_of(*(use("AB"[n % 2], f"f{n}", law.UNIT, 10) for n in range(count)))


def test_all_agree():
    month = replace(sized(10, law.nano("60000")), budgets={"f0": 1})
    month = replace(month, cells=(*month.cells, use("B", "g", law.UNIT, 10**6)))
    found = advised(month, "annual_capex")
    assert (found.model, found.agree, found.tied) == ("use_case_budget", True, ())
    assert found.caution == ""


def test_disagreement_takes_what_most_support():
    # Size: real cost or budget. Budgeting: budget. Difference: proportional.
    found = advised(alike(), "annual_capex")
    assert [each.points_to for each in found.reasons] == [
        ANSWERING,
        ("use_case_budget",),
        ("proportional",),
    ]
    assert (found.model, found.agree) == ("use_case_budget", False)
    assert "budgets.yaml" in found.caution


def test_a_tie_goes_to_the_fairest():
    # One each for showback and proportional: showback leaves the whole bill with the centre.
    small = alike(2)
    found = advised(small)
    assert (found.model, found.agree, found.tied) == ("proportional", False, ("showback",))
    # Real cost with markup is less fair than a budget, until the budget is committed.
    assert advised(law.month("budget_actual"), None).model == "use_case_budget"
    assert compare(law.month("budget_committed")).fairest == "real_cost"
    assert advised(law.month("budget_committed"), None).model == "real_cost"


def test_an_unanswered_question_is_no_disagreement():
    month = month_of(*(use("A", f"f{n}", law.UNIT, 10) for n in range(10)), use("B", "", 10**9, 1))
    found = advised(month)
    assert found.agree
    assert found.model in ANSWERING
    assert set(found.tied) == set(ANSWERING) - {found.model}


def test_moves_of_the_worked_example():
    # As applied A bears 765, B 0, central 305; showback alone would leave 1,070 with the centre.
    found = advised(law.month("mixed"), "annual_capex")
    assert found.model == "use_case_budget"
    assert found.moves_nano == {"A": law.nano("10"), "B": law.nano("275")}
    assert found.central_nano == law.nano("-285")


def test_nothing_moves_where_the_model_is_in_force():
    found = advised(replace(alike(2), policy=month_of(default="proportional").policy))
    assert set(found.moves_nano.values()) | {found.central_nano} == {0}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.builds(
            use,
            st.sampled_from(["A", "B", "platform"]),
            st.sampled_from(["", "f", "g", "h", "i"]),
            st.integers(-(10**6), 6 * 10**13),
            st.integers(0, 10**9),
        ),
        max_size=12,
    ),
    st.sampled_from(["showback", *CHARGING]),
    st.sampled_from([None, "cloud_finops", "annual_capex"]),
)
def test_moves_sum_to_zero_and_support_is_the_most(cells, default, budgeting):
    month = month_of(*cells, default=default)
    compared = compare(month)
    found = recommend(month, compared, budgeting, "USD")
    assert sum(found.moves_nano.values()) + found.central_nano == 0
    support = {m: sum(m in each.points_to for each in found.reasons) for m in compared.outcomes}
    assert support[found.model] == max(support.values())
    fairness = {m: compared.outcomes[m].unfairness for m in (found.model, *found.tied)}
    assert fairness[found.model] == min(fairness.values())
    assert CURRENT not in fairness
    assert misplaced_share(month.cells) >= 0
