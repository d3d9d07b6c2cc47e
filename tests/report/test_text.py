"""The text statement, word for word, and its behaviour at the edges of the page."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tallybook.report.text import set_text, statement_text, summary_text

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("name", ["real_cost", "mixed", "priced"])
def test_the_worked_example_word_for_word(name, request):
    made = set_text(request.getfixturevalue(name)).replace("\f", "\n")
    golden = GOLDEN / f"{name}.txt"
    if os.environ.get("TALLYBOOK_UPDATE_GOLDEN"):
        golden.write_text(made, encoding="utf-8")
    assert made == golden.read_text(encoding="utf-8")


def test_the_total_of_the_text_is_the_total_of_the_lines(real_cost):
    page = statement_text(real_cost, "A")
    assert "CHARGE FOR OCTOBER 2026" in page
    assert "765.00" in page
    assert "(100.00 paid by quality pool)" in page
    assert "Against September 2026 (652.40): +112.60" in page
    assert "Budget 700.00: 86 % used (600.00)" in page
    assert "dispute by 12 November 2026" in page


def test_the_summary_says_the_tie(mixed):
    page = summary_text(mixed)
    assert "SIMULATED DATA" in page
    assert "DRAFT" in page
    assert "not sealed" in page
    lines = [line.split() for line in page.splitlines()]
    assert ["Charged", "to", "teams", "765.00"] in lines
    assert ["+", "central", "305.00"] in lines
    assert ["=", "LEDGER", "COST", "1,070.00"] in lines


def test_showback_says_that_nobody_pays(mixed):
    page = statement_text(mixed, "B")
    assert "*** SHOWN, NOT CHARGED ***" in page
    assert "SHOWBACK STATEMENT" in page
    assert "CHARGE FOR" not in page


def test_long_wide_and_forged_names_stay_inside_their_line(real_cost):
    support = real_cost.statements[0]
    name = "客服" * 30 + "\nCHARGE FOR OCTOBER 2026   0.00\x1b[2J"
    lines = (replace(support.lines[0], purpose="evaluation of " + "many " * 12), *support.lines[1:])
    hostile = replace(support, team_name=name, model_label="m" * 300, lines=lines)
    issue = replace(real_cost, statements=(hostile, real_cost.statements[1]), company="C" * 200)
    page = set_text(issue)
    assert all(len(line) <= 100 for line in page.splitlines())
    assert "\x1b" not in page
    forged = [line for line in page.splitlines() if line.startswith("CHARGE FOR OCTOBER 2026")]
    assert len(forged) == 2


def test_a_budget_of_nothing_has_no_percentage(real_cost):
    support = real_cost.statements[0]
    broke = replace(support, budget=replace(support.budget, budget_cents=0))
    issue = replace(real_cost, statements=(broke, real_cost.statements[1]))
    assert "Budget 0.00 (600.00)" in statement_text(issue, "A")
