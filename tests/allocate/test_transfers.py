"""What each rule between teams posts: who is debited, with which words, and both legs of a price."""

from __future__ import annotations

import sys
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pytest

from tallybook.allocate.allocate import allocate
from tallybook.allocate.compare import MODELS, compare
from tallybook.allocate.saving import savings
from tallybook.allocate.transfers import (
    is_price,
    is_standing,
    legs,
    price_lines,
    shown_legs,
    standing,
)

sys.path.insert(0, str(Path(__file__).parent))
import worked_example as law

UNIT = law.UNIT
SHOWBACK = law.MODELS["showback"]


def totals(lines):
    found = defaultdict(int)
    for line in lines:
        found[line.account] += line.amount_nano
    return {account: nano for account, nano in found.items() if nano}


def priced(default="real_cost", **teams):
    """The worked example at a transfer price, with the models of teams."""
    models = {team: law.MODELS[name] for team, name in teams.items()}
    return replace(law.month(law.AT_PRICE), policy=law.policy(law.MODELS[default], models))


def transfers(month):
    found = totals(allocate(month).lines)
    return {account: nano // UNIT for account, nano in found.items() if "transfer" in account}


@pytest.mark.parametrize(
    ("origin", "rule", "said"),
    [
        ("", "", ""),
        ("", "caller_pays", ""),
        ("A", "caller_pays", ""),
        ("", "split", "split"),
        ("B", "split", "paid for B: split"),
        ("B", "callee_absorbs", "paid for B: callee_absorbs"),
        ("B", "transfer_price", "paid for B: transfer_price"),
        ("B", "joint", "joint"),
    ],
)
def test_a_charge_says_why_its_payer_pays(origin, rule, said):
    assert standing("A", origin, rule) == said
    assert is_standing(said) == bool(said)
    assert not is_price(said)


@pytest.mark.parametrize("model", ["real_cost", "budget_actual", "showback"])
def test_parts_of_a_split_keep_their_postings_apart(model):
    row = law.ROWS[2]
    parts = (
        replace(row, card_nano=70 * UNIT, transfer="split"),
        replace(row, team="B", feature="", kind="usage", card_nano=30 * UNIT, origin="A",
                transfer="split"),
    )  # fmt: skip
    month = replace(law.month(model), cells=parts, pools=())
    allocation = allocate(month)
    said = {
        (line.account, line.service, line.detail): line.amount_nano // UNIT
        for line in (*allocation.charge, *allocation.memo)
        if line.team in ("A", "B") and line.account.endswith((":transfer", ":usage", ":A", ":B"))
    }
    family = "Memo:Shown:{}" if model == "showback" else "Charge:{}:{}"
    assert said == {
        (family.format("A", "transfer"), "retrieval", "split"): 70,
        (family.format("B", "usage"), "retrieval", "paid for A: split"): 30,
    }


@pytest.mark.parametrize("model", ["proportional", "budget_committed"])
def test_a_transfer_moves_tokens_or_burn_and_no_amount_of_its_own(model):
    charged = [x for x in allocate(law.month(model)).charge if x.account.startswith("Charge:")]
    assert {line.kind for line in charged} == {"usage", "pool", "evaluation"}


@pytest.mark.parametrize(
    "model", ["real_cost", "proportional", "budget_actual", "budget_committed"]
)
def test_a_price_posts_from_team_to_team_under_every_model_that_charges(model):
    found = transfers(priced(model))
    assert found == {"Charge:A:transfer": 120, "Charge:B:transfer": -120}


def test_one_side_on_showback_is_central():
    assert transfers(priced(A="showback")) == {
        "Absorption:transfer": 120, "Charge:B:transfer": -120,
    }  # fmt: skip
    assert transfers(priced(B="showback")) == {
        "Charge:A:transfer": 120, "Absorption:transfer": -120,
    }  # fmt: skip


def test_both_on_showback_is_shown_and_not_booked():
    month = priced("showback")
    assert price_lines(month) == []
    memo = [line for line in allocate(month).memo if line.kind == "transfer"]
    assert totals(memo) == {"Memo:Shown:A": 120 * UNIT, "Memo:Shown:B": -120 * UNIT}


def test_showback_shows_its_leg_whoever_the_other_side_is():
    month = priced(B="showback")
    (leg,) = shown_legs(month, "showback")
    assert (leg.team, leg.amount_nano, leg.detail) == ("B", -120 * UNIT, "earned from A")
    shown = [line for line in allocate(month).memo if line.kind == "transfer"]
    assert totals(shown) == {"Memo:Shown:B": -120 * UNIT}
    assert not sum(line.amount_nano for line in allocate(month).memo)


def test_the_unowned_team_has_no_leg_of_its_own():
    month = replace(priced(), unowned="A", uses=law.USES)
    assert transfers(month) == {"Absorption:transfer": 120, "Charge:B:transfer": -120}
    assert [leg.team for leg in shown_legs(replace(month, policy=law.policy(SHOWBACK)), "showback")
            ] == ["B"]  # fmt: skip


def test_a_price_carries_no_markup_and_burns_no_budget():
    marked = totals(allocate(priced()).charge)
    assert (marked["Charge:A:markup"], marked["Charge:B:markup"]) == (75 * UNIT, 45 * UNIT)
    committed = allocate(priced("budget_committed")).charge
    unused = [line for line in committed if line.detail == "unused commitment" and line.team == "A"]
    assert [line.amount_nano for line in unused] == [200 * UNIT]  # 700 less own usage of 500


def test_a_service_earns_on_its_feature():
    month = replace(priced(), feature_of={("retrieval", "B"): "b-find"})
    owed, earned = legs(law.USES[0], month.feature_of)
    assert (owed.feature, owed.purpose, owed.service) == ("a-bot", "production", "retrieval")
    assert (earned.feature, earned.purpose, earned.service) == ("b-find", "production", "retrieval")
    assert owed.group == earned.group == "transfer:retrieval"


def test_fairness_counts_a_price_that_was_agreed():
    found = compare(priced())
    assert found.fair_nano == {"A": law.nano("757.50"), "B": law.nano("292.50")}
    assert all(
        sum(found.outcomes[model].borne_nano.values()) + found.outcomes[model].central_nano
        == law.nano("1070")
        for model in MODELS
    )


def test_saving_usage_saves_no_price():
    month = priced()
    without = replace(month, uses=())
    policies = {"now": month.policy, "shown": law.policy(SHOWBACK)}
    assert savings(month, policies) == savings(without, policies)
