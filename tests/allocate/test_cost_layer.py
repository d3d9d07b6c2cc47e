"""The cost layer: what was incurred, whatever anybody pays; any name makes an account."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallybook.allocate.cost_layer import UNOWNED, account_part, cost_layer
from tallybook.ledger.chart import Family, check_account

sys.path.insert(0, str(Path(__file__).parent))
import worked_example as law


def balances(month):
    held = {}
    for line in cost_layer(month):
        held[line.account] = held.get(line.account, 0) + line.amount_nano
    return {account: nano for account, nano in held.items() if nano}


def test_entries_c1_to_c4_of_the_worked_example():
    assert balances(law.month("real_cost")) == {
        account: law.nano(amount)
        for account, amount in (
            law.COST
            | {"Cost:X": "550", "Cost:Y": "300", "Pool:gateway": "150", "Pool:quality": "100"}
        ).items()
    }


def test_what_only_the_fallback_owns_is_marked():
    lines = cost_layer(law.month("real_cost"))
    marked = {line.team for line in lines if line.detail == UNOWNED}
    assert marked == {"platform"}


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("openai", "openai"),
        ("azure:eu", "azure%3Aeu"),
        (" OpenAI ", "%20OpenAI%20"),
        ("a b", "a b"),
        ("50%", "50%25"),
        ("x\n", "x%0A"),
        ("日本", "日本"),
        (" ", "%20"),
    ],
)
def test_names_from_outside_become_parts_of_accounts(name, part):
    assert account_part(name) == part


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_name_makes_an_account_of_its_own(name):
    part = account_part(name)
    assert check_account(f"Cost:{part}") == Family.COST
    assert account_part(part) != part or part == name


def test_a_colon_in_a_providers_name_keeps_the_month_balanced():
    month = law.month("real_cost")
    renamed = replace(
        month, cells=tuple(replace(c, provider=f":{c.provider}") for c in month.cells)
    )
    assert balances(renamed)["Accrued:%3AX"] == law.nano("-610")
    assert sum(balances(renamed).values()) == 0
