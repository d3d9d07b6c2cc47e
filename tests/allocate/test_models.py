"""Each chargeback model by itself: who is debited, who is credited, what is left out."""

from __future__ import annotations

import sys
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pytest

from tallybook.allocate.models import direct, proportional, real_cost, showback, use_case_budget
from tallybook.allocate.pools import pool_shares

sys.path.insert(0, str(Path(__file__).parent))
import worked_example as law

UNIT = law.UNIT


def totals(lines):
    found = defaultdict(int)
    for line in lines:
        found[line.account] += line.amount_nano
    return dict(found)


def charge(model, column, **changes):
    month = replace(law.month(column), **changes)
    return model.charge(month, pool_shares(month))


@pytest.mark.parametrize("model", [showback, proportional, real_cost, use_case_budget])
@pytest.mark.parametrize("column", law.POLICIES)
def test_every_model_sums_to_zero_and_charges_only_its_own_teams(model, column):
    month = law.month(column)
    lines = model.charge(month, pool_shares(month))
    assert sum(line.amount_nano for line in lines) == 0
    teams = {line.team for line in lines if line.team}
    assert all(month.model_of(team) == model.MODEL for team in teams)


def test_at_rate_card_debits_the_payer_and_credits_the_provider():
    month = law.month("real_cost")
    transfer = next(cell for cell in month.cells if cell.kind == "transfer")
    debit, credit = direct.at_rate_card([transfer], "g")
    assert (debit.account, debit.amount_nano, debit.service) == (
        "Charge:A:transfer",
        100 * UNIT,
        "retrieval",
    )
    assert (credit.account, credit.amount_nano) == ("Cost:Y", -100 * UNIT)


def test_by_driver_leaves_out_teams_on_other_models():
    month = law.month("mixed")
    lines = direct.by_driver(month, pool_shares(month), "real_cost")
    assert {line.team for line in lines} == {"A"}


def test_real_cost_recovers_by_markup_and_leaves_the_rest_on_absorption():
    found = totals(charge(real_cost, "real_cost"))
    assert found["Charge:A:markup"] == 90 * UNIT
    assert found["Absorption:markup"] == (150 - 120) * UNIT
    assert "Charge:A:pool" not in found


def test_showback_touches_memo_only():
    lines = charge(showback, "showback")
    assert {line.account.partition(":")[0] for line in lines} == {"Memo"}
    assert totals(lines)["Memo:Contra"] == -1050 * UNIT


def test_proportional_without_tokens_charges_nothing():
    cells = tuple(replace(cell, tokens=0) for cell in law.ROWS)
    usage = [x for x in charge(proportional, "proportional", cells=cells) if x.kind == "usage"]
    assert usage == []


def test_a_commitment_splits_into_usage_unused_and_overrun():
    lines = charge(use_case_budget, "budget_committed")
    usage = {
        (line.team, line.detail): line.amount_nano
        for line in lines
        if line.account.endswith(":usage")
    }
    assert usage == {
        ("A", ""): 600 * UNIT,
        ("A", use_case_budget.UNUSED): 100 * UNIT,
        ("B", ""): 180 * UNIT,
        ("B", use_case_budget.OVERRUN): 20 * UNIT,
    }


def test_a_budget_that_nobody_touched_is_charged_to_its_owner():
    lines = charge(use_case_budget, "budget_committed", cells=(), pools=())
    assert totals(lines) == {
        "Charge:A:usage": 700 * UNIT,
        "Charge:B:usage": 180 * UNIT,
        "Absorption:budget": -880 * UNIT,
    }


def test_a_feature_that_moved_is_committed_by_its_owner_at_month_end_only():
    month = law.month("budget_committed")
    moved = replace(month, owner_of={"a-bot": "B", "b-find": "B"})
    found = totals(use_case_budget.charge(moved, pool_shares(moved)))
    assert found["Charge:A:usage"] == 500 * UNIT
    assert found["Charge:A:transfer"] == 100 * UNIT
    assert found["Charge:B:usage"] == (700 + 200) * UNIT
