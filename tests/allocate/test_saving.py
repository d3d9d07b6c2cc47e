"""What one unit saved at rate card saves a team, against the allocation of a smaller month."""

from __future__ import annotations

import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from tallybook.allocate.allocate import allocate
from tallybook.allocate.compare import CURRENT, compare, policies_of
from tallybook.allocate.saving import savings

sys.path.insert(0, str(Path(__file__).parent))
import worked_example as law


def charge(month, policy, team):
    lines = allocate(replace(month, policy=policy)).charge
    return sum(x.amount_nano for x in lines if x.account.startswith(f"Charge:{team}:"))


def smaller(month, team, rate):
    """The month with the usage of a team scaled; the worked example's amounts divide exactly."""
    scaled = []
    for cell in month.cells:
        if cell.team == team:
            nano = Fraction(cell.card_nano) * rate
            cell = replace(  # noqa: PLW2901
                cell,
                calls=cell.calls * rate,
                tokens=cell.tokens * rate,
                card_pico=int(nano) * 1000,
                card_nano=int(nano),
            )
        scaled.append(cell)
    return replace(month, cells=tuple(scaled))


def one_unit_less(value):
    return Fraction(value - 1, value)


VALUE = {"A": 700, "B": 200}


@pytest.mark.parametrize("team", ["A", "B"])
@pytest.mark.parametrize("column", ["budget_committed", "mixed"])
def test_savings_are_what_a_smaller_month_would_charge_less(column, team):
    month = law.month(column)
    policies = policies_of(month.policy)
    found = savings(month, policies)
    less = smaller(month, team, one_unit_less(VALUE[team]))
    for name, policy in policies.items():
        naive = Fraction(charge(month, policy, team) - charge(less, policy, team), law.UNIT)
        assert abs(found[name][team] - naive) < Fraction(1, 10**7)


def test_the_incentive_of_each_model():
    found = compare(law.month("budget_committed")).outcomes
    assert dict(found["showback"].saving) == {"A": 0, "B": 0}
    # A: 600 of 700 are its own usage; 15 % markup on it; and less of the pooled evaluation.
    direct, markup = Fraction(6, 7), Fraction(15, 100)
    assert direct * (1 + markup) < found["real_cost"].saving["A"] < direct * (1 + markup) + 1
    # A's budget of 700 is above its usage of 600: saving usage saves it nothing of that.
    assert found["use_case_budget"].saving["A"] < direct
    # B's usage of 200 is above its budget of 180: every unit saved is saved.
    assert found["use_case_budget"].saving["B"] > 1
    assert found[CURRENT].saving == found["use_case_budget"].saving
    # By tokens A, who uses few for its money, saves half of what B does.
    assert found["proportional"].saving["A"] < 1 < found["proportional"].saving["B"]


def test_a_team_that_used_less_than_a_unit_saves_half_of_it():
    month = law.month("budget_actual")
    tiny = replace(
        month,
        pools=(),
        cells=tuple(
            replace(cell, card_pico=400_000_000_000, card_nano=400_000_000)
            if cell.team == "B"
            else cell
            for cell in month.cells
        ),
    )
    saved = savings(tiny, policies_of(tiny.policy))
    half = smaller(tiny, "B", Fraction(1, 2))
    before, after = (charge(each, month.policy, "B") for each in (tiny, half))
    assert saved["use_case_budget"]["B"] == Fraction(before - after, 200_000_000)


def test_a_team_without_usage_saves_nothing_and_is_left_out():
    month = replace(law.month("mixed"), teams=("A", "B", "C", "platform"))
    assert set(savings(month, policies_of(month.policy))["real_cost"]) == {"A", "B"}


def test_the_order_of_cells_saves_nobody_anything():
    month = law.month("mixed")
    turned = replace(month, cells=month.cells[::-1])
    policies = policies_of(month.policy)
    assert savings(turned, policies) == savings(month, policies)
