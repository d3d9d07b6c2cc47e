"""The worked example's comparison to the cent, and conservation on random months."""

from __future__ import annotations

import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallybook.allocate.compare import CURRENT, MODELS, compare, policies_of
from tallybook.allocate.model import CostCell, Month, PoolAmount
from tallybook.books.model import CostPool, Evaluation, TeamPolicy
from tallybook.money import format_ratio

sys.path.insert(0, str(Path(__file__).parent))
import worked_example as law


def borne_of(outcome):
    return (
        dict(outcome.borne_nano),
        outcome.central_nano,
        format_ratio(outcome.unfairness.numerator, outcome.unfairness.denominator, 4),
    )


def stated(column):
    teams, central, unfairness = law.BORNE[column]
    return {team: law.nano(text) for team, text in teams.items()}, law.nano(central), unfairness


@pytest.mark.parametrize(
    ("column", "budget"), [("budget_committed", "budget_committed"), ("mixed", "budget_actual")]
)
def test_worked_example_under_each_model(column, budget):
    found = compare(law.month(column))
    assert list(found.outcomes) == [*MODELS, CURRENT]
    assert found.ledger_cost_nano == law.nano("1070")
    assert found.fair_nano == {"A": law.nano("775"), "B": law.nano("275")}
    for model in ("showback", "proportional", "real_cost"):
        assert borne_of(found.outcomes[model]) == stated(model)
    assert borne_of(found.outcomes["use_case_budget"]) == stated(budget)
    assert borne_of(found.outcomes[CURRENT]) == stated(column)


def test_worked_example_shows_what_showback_shows():
    found = compare(law.month("mixed"))
    shown = {name: dict(outcome.shown_nano) for name, outcome in found.outcomes.items()}
    assert shown["showback"] == {"A": law.nano("775"), "B": law.nano("275")}
    assert shown[CURRENT] == {"A": 0, "B": law.nano("275")}
    assert shown["proportional"] == {"A": 0, "B": 0}
    assert found.period == "2026-10"
    assert found.outcomes[CURRENT].policy is None
    assert {name: found.outcomes[name].policy.model for name in MODELS} == {m: m for m in MODELS}


def test_the_fairest_model_has_the_least_unfairness():
    assert compare(law.month("mixed")).fairest == "use_case_budget"
    assert compare(law.month("budget_committed")).fairest == "real_cost"


def test_the_compared_policies_keep_what_the_policy_names():
    def named(default, **teams):
        found = policies_of(law.policy(default, teams))
        assert all(not found[model].teams for model in MODELS)
        return found["real_cost"].default.markup, found["use_case_budget"].default.charge

    showback, actual = TeamPolicy("showback"), law.MODELS["budget_actual"]
    committed = law.MODELS["budget_committed"]
    low, high = TeamPolicy("real_cost", Fraction(1, 10)), TeamPolicy("real_cost", Fraction(1, 5))
    assert named(showback) == (Fraction(15, 100), "actual")
    assert named(low) == (Fraction(1, 10), "actual")
    assert named(low, A=high, B=committed) == (Fraction(1, 5), "committed")
    assert named(actual, B=committed) == (Fraction(15, 100), "actual")
    assert named(showback, A=actual, B=committed) == (Fraction(15, 100), "committed")
    assert named(committed, B=actual) == (Fraction(15, 100), "committed")


def test_a_bill_of_nothing_is_fair():
    empty = replace(law.month("mixed"), cells=(), pools=())
    found = compare(empty)
    assert found.ledger_cost_nano == 0
    assert {outcome.unfairness for outcome in found.outcomes.values()} == {0}
    assert found.fairest == "showback"


amounts = st.integers(-5 * 10**8, 9 * 10**12)


@st.composite
def cells(draw):
    team = draw(st.sampled_from(["A", "B", "C", "platform"]))
    card_nano = draw(st.integers(0, 9 * 10**12))
    return CostCell(
        provider=draw(st.sampled_from(["X", "Y"])),
        team=team,
        feature=draw(st.sampled_from(["", f"{team}-1", f"{team}-2"])),
        purpose=draw(st.sampled_from(["production", "evaluation", "untagged"])),
        kind="usage",
        service="",
        executor=team,
        fallback=team == "platform",
        calls=draw(st.integers(0, 10**6)),
        tokens=draw(st.integers(0, 10**9)),
        card_pico=card_nano * 1000,
        card_nano=card_nano,
        variance_nano=draw(amounts),
    )


TEAM_POLICIES = st.sampled_from(list(law.MODELS.values()))


@st.composite
def months(draw):
    pools = tuple(
        CostPool(name, 1, driver, {}, draw(st.sampled_from([0, 10**9])), recovered)
        for name, driver, recovered in (
            ("gateway", "calls", "markup"),
            ("quality", "production_cost", "driver"),
            ("seats", "equal", "driver"),
        )
    )
    policy = replace(
        law.policy(
            draw(TEAM_POLICIES), draw(st.dictionaries(st.sampled_from("AB"), TEAM_POLICIES))
        ),
        pools=pools,
        evaluation=draw(st.sampled_from([Evaluation("pooled", "quality"), Evaluation()])),
    )
    owner_of = {f"{team}-{n}": team for team in "AB" for n in (1, 2)}
    return Month(
        period="2026-10",
        cells=tuple(draw(st.lists(cells(), max_size=8))),
        policy=policy,
        pools=(PoolAmount("gateway", draw(amounts), draw(amounts)), PoolAmount("seats", 5, 7)),
        budgets=draw(st.dictionaries(st.sampled_from([*owner_of]), st.integers(0, 10**12))),
        teams=("A", "B", "C", "platform"),
        unowned="platform",
        owner_of=owner_of,
    )


@settings(max_examples=60, deadline=None)
@given(months())
def test_every_model_distributes_the_same_ledger_cost(month):
    found = compare(month)
    incurred = sum(cell.card_nano + cell.variance_nano for cell in month.cells)
    incurred += sum(pool.actual_nano for pool in month.pools)
    assert found.ledger_cost_nano == incurred
    for outcome in found.outcomes.values():
        assert sum(outcome.borne_nano.values()) + outcome.central_nano == incurred
        assert outcome.unfairness >= 0
    assert found.outcomes["showback"].shown_nano == found.fair_nano
