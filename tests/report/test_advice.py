"""The recommendation in words and as JSON."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tallybook.allocate.compare import compare
from tallybook.allocate.recommend import recommend
from tallybook.books.model import Company, Org
from tallybook.clock import Period
from tallybook.errors import LedgerError
from tallybook.report.advice import advice_json, advice_lines
from tallybook.report.comparison import comparison_view
from tallybook.report.html import compare_html

sys.path.insert(0, str(Path(__file__).parent.parent / "allocate"))
import worked_example as law

OCTOBER = Period.parse("2026-10")
ORG = Org(Company("Acme", "USD", "2026-01", "UTC"), (), (), (), (), (), (), "platform")


def view_of(budgeting, column="mixed", budgets=None):
    month = law.month(column)
    month = month if budgets is None else replace(month, budgets=budgets)
    found = compare(month)
    advised = recommend(month, found, budgeting, "USD")
    return comparison_view(found, {}, advised, ORG, OCTOBER)


def test_the_lead_names_what_each_reason_points_to_where_they_disagree():
    assert view_of("annual_capex").advice.lead == (
        "Budget, actual is recommended. The reasons disagree, 2 of 3 point to it: size points to"
        " Showback; how the company budgets points to Budget, actual; how different the use cases"
        " are points to Real cost + 15 % or Budget, actual."
    )


def test_the_lead_tells_a_tie_and_what_has_to_come_first():
    lead = view_of(None, budgets={}).advice.lead
    assert "1 of 2 points to it" in lead
    assert (
        "As many point to Showback or Real cost + 15 %; it is preferred, as none is fairer" in lead
    )
    assert lead.endswith("No use case has a budget yet: state them in budgets.yaml.")


@pytest.mark.parametrize(
    ("budgeting", "words"),
    [
        ("annual_capex", "All 3 reasons point to it."),
        (None, "All reasons that are known point to it."),
    ],
)
def test_the_lead_of_agreement(budgeting, words):
    month = law.month("mixed")
    # Ten use cases, each with a call that costs nothing.
    more = [replace(month.cells[0], feature=f"f{n}", card_nano=0, tokens=0) for n in range(10)]
    month = replace(month, cells=(*month.cells, *more))
    found = compare(month)
    advised = recommend(month, found, budgeting, "USD")
    assert words in comparison_view(found, {}, advised, ORG, OCTOBER).advice.lead


def test_json():
    value = advice_json(view_of("cloud_finops").advice)
    assert list(value) == ["model", "agree", "reasons", "moves"]
    assert (value["model"], value["agree"]) == ("real_cost", False)
    assert [each["name"] for each in value["reasons"]] == ["size", "budgeting", "difference"]
    assert value["reasons"][1] == {
        "name": "budgeting",
        "figure": "cloud_finops",
        "points_to": ["proportional", "real_cost"],
        "says": "The bill is followed month by month: a charge that moves with usage fits.",
    }
    # As applied A is on real cost already and B is shown only.
    assert value["moves"] == {"A": "0.00", "B": "255.00", "central": "-255.00"}


def test_text():
    lines = advice_lines(view_of(None).advice, (("A", "Support"), ("B", "Search")))
    assert "Size: Showback" in lines
    assert "How the company budgets: no model" in lines
    assert lines[-3:] == [
        "    Support   +10.00",
        "    Search   +275.00",
        "    Central  -285.00",
    ]
    assert max(map(len, lines)) <= 90


def test_the_page_has_every_reason_and_every_move():
    view = view_of("cloud_finops")
    page = compare_html(view)
    for row in view.advice.reasons:
        assert row.figure in page
        assert row.says in page
    assert "+255.00" in page
    assert "\N{MINUS SIGN}255.00" in page


def test_moves_that_do_not_add_up_are_refused():
    advice = view_of("cloud_finops").advice
    with pytest.raises(LedgerError, match="moves"):
        replace(advice, central_move_cents=0)
