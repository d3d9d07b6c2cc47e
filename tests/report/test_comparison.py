"""The comparison's view, JSON and text from the worked example."""

from __future__ import annotations

import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from tallybook.allocate.compare import compare
from tallybook.allocate.recommend import recommend
from tallybook.allocate.subsidy import Causes
from tallybook.books.model import Company, Org
from tallybook.clock import Period
from tallybook.report.advice import advice_json
from tallybook.report.comparison import comparison_json, comparison_text, comparison_view
from tallybook.report.html import compare_html

sys.path.insert(0, str(Path(__file__).parent.parent / "allocate"))
import worked_example as law

OCTOBER = Period.parse("2026-10")
ORG = Org(Company("Acme", "USD", "2026-01", "UTC"), (), (), (), (), (), (), "platform")
THIRD = Fraction(law.UNIT, 3)
CAUSES = {
    "A": Causes(THIRD, THIRD, THIRD, Fraction(0)),
    "B": Causes(-THIRD, -THIRD, Fraction(5 * 10**6), -THIRD - 5 * 10**6),
}

TEXT = """\
Four models, October 2026, USD

Borne by              Showback  Proportional  Real cost + 15 %  Budget, actual  As applied
------------------------------------------------------------------------------------------
A                         0.00        575.00            765.00          775.00      765.00
B                         0.00        475.00            255.00          275.00        0.00
------------------------------------------------------------------------------------------
Central               1,070.00         20.00             50.00           20.00      305.00
Ledger cost           1,070.00      1,070.00          1,070.00        1,070.00    1,070.00
------------------------------------------------------------------------------------------
Unfairness              0.9813        0.1869            0.0280          0.0000      0.2664
Shown, not charged  (1,050.00)                                                    (275.00)
------------------------------------------------------------------------------------------
What saving one USD of usage pays
A                       0.0000        0.8958            1.1196          1.0387      1.1196
B                       0.0000        1.7621            1.2439          1.2608      0.0000

Proportional less cost  Model price  Input/output  Cache  Fine-tuning    All
----------------------------------------------------------------------------
A                             +0.33         +0.33   0.00        +0.34  +1.00
B                             -0.33          0.00  -0.34        -0.33  -1.00

Real cost + 15 % is recommended. The reasons disagree, 2 of 3 point to it: size points to
Showback; how the company budgets points to Proportional or Real cost + 15 %; how
different the use cases are points to Real cost + 15 % or Budget, actual.

Size: Showback
    2 use cases with production calls, a bill of USD 1,070.00
    Up to 3 use cases and under USD 10,000: showing the cost is enough.

How the company budgets: Proportional or Real cost + 15 %
    cloud_finops
    The bill is followed month by month: a charge that moves with usage fits.

How different the use cases are: Real cost + 15 % or Budget, actual
    By tokens, 25.0 % of usage would sit with another team; a million tokens cost USD
    40.00 to 120.00 by use case, spread 50.0 % of the average
    Over 5 %, use cases differ: only real cost is fair, and so are budgets, which follow
    it.

Real cost + 15 % instead of the policy as applied: what each would bear more or less
    A           0.00
    B        +255.00
    Central  -255.00

Budget, actual is the fairest: 0.0 % of USD 1,070.00 sits with someone who did not cause
it. Real cost + 15 % 2.8 %, Proportional 18.7 %, Showback 98.1 %; as applied 26.6 %."""


def view_of(month, causes=None):
    found = compare(month)
    advised = recommend(month, found, "cloud_finops", "USD")
    return comparison_view(found, causes or {}, advised, ORG, OCTOBER)


@pytest.fixture
def found():
    return compare(law.month("mixed"))


@pytest.fixture
def view():
    return view_of(law.month("mixed"), CAUSES)


def test_text(view):
    assert comparison_text(view) == TEXT


def test_text_says_that_a_company_is_made_up(view):
    assert "SIMULATED DATA" in comparison_text(replace(view, simulated=True)).splitlines()[0]


def test_text_without_tokens_has_no_breakdown(view):
    assert "Fine-tuning" not in comparison_text(replace(view, breakdown=()))


def test_json(found, view):
    value = comparison_json(found, view)
    assert value["models"]["real_cost"] == {
        "teams": {"A": "765.00", "B": "255.00"},
        "shown": {"A": "0.00", "B": "0.00"},
        "central": "50.00",
        "unfairness": "0.0280",
        "saving": {"A": "1.1196", "B": "1.2439"},
    }
    assert value["current"]["shown"] == {"A": "0.00", "B": "275.00"}
    # A third of a unit three times is a unit: no cause loses a cent that its total has.
    assert value["breakdown"]["A"] == {
        "model_price": "0.33",
        "input_output_mix": "0.33",
        "cache": "0.00",
        "fine_tuning": "0.34",
        "total": "1.00",
    }
    assert value["recommendation"] == {
        **advice_json(view.advice),
        "fairest": "use_case_budget",
        "reason": view.recommendation,
    }


def test_what_teams_owe_each_other_stands_beside_the_models():
    month = law.month(law.AT_PRICE)
    found, view = compare(month), view_of(month)
    assert (
        "\n".join(comparison_text(view).splitlines()[17:21])
        == """\
Owed at transfer prices    Service  Calls  Amount
-------------------------------------------------
A to B                   retrieval     20  120.00
"""
    )
    assert comparison_json(found, view)["transfer_prices"] == [
        {"payer": "A", "owner": "B", "service": "retrieval", "calls": 20, "amount": "120.00"}
    ]
    assert comparison_json(found, view)["models"]["real_cost"]["teams"] == {
        "A": "757.50", "B": "262.50",
    }  # fmt: skip


def test_cents_of_every_column_add_up_to_the_ledger_cost():
    month = law.month("real_cost")
    uneven = replace(
        month, cells=tuple(replace(x, card_nano=x.card_nano + 3_333_333) for x in month.cells)
    )
    view = view_of(uneven)
    for column in view.columns:
        assert sum(column.borne_cents.values()) + column.central_cents == view.ledger_cost_cents


def test_a_team_may_be_called_central():
    month = law.month("real_cost")
    named = replace(
        month,
        cells=tuple(replace(x, team="central") if x.team == "A" else x for x in month.cells),
        teams=("central", "B", "platform"),
    )
    view = view_of(named)
    column = view.columns[2]
    assert (column.borne_cents["central"], column.central_cents) == (765_00, 50_00)
    assert set(advice_json(view.advice)["moves"]) == {"central", "B", "(central)"}


def test_the_page_takes_the_view(view):
    page = compare_html(view)
    assert "As applied" in page
    assert "0.2664" in page
