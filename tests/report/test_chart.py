import itertools
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tallybook.report.chart import BAR_WIDTH, PANEL_BAR_WIDTH, charge_bar, comparison_panels
from tallybook.report.model import Quantity, Statement, StatementLine

NOTHING = Quantity(0, 0, {})


@given(st.lists(st.integers(-(10**9), 10**9), max_size=20))
def test_slices_touch_and_fill_the_bar(amounts):
    lines = tuple(
        StatementLine(f"L{n}", f"f{n}", f"F{n}", "", "usage", "", "", NOTHING, cents)
        for n, cents in enumerate(amounts)
    )
    made = charge_bar(
        Statement(
            "t", "T", "", "", "", "m", "m", charged=True, total_cents=sum(amounts), lines=lines
        ),
        "USD",
    )
    drawn = sorted(made.slices, key=lambda part: (part.x, part.width))
    if not drawn:
        assert not any(amounts)
        return
    assert sum(part.width for part in drawn) == BAR_WIDTH
    assert drawn[0].x == 0
    assert all(a.x + a.width == b.x for a, b in itertools.pairwise(drawn))
    for part in made.slices:
        inside = part.x + part.width <= made.zero if part.amount[0] == "-" else part.x >= made.zero
        assert inside


def test_panels_share_one_scale_and_negative_bars_stand_left(comparison):
    panels = comparison_panels(comparison)
    assert [panel.title for panel in panels] == ["Support", "Search", "Central (no team)"]
    assert {panel.zero for panel in panels} == {12}
    central = panels[2].bars
    assert (central[0].x, central[0].width) == (12, PANEL_BAR_WIDTH - 12)
    assert (central[3].x, central[3].width) == (0, 12)
    assert "Budget, committed USD -80.00" in panels[2].words


def test_a_credit_is_never_gathered_among_features():
    features = [
        StatementLine(f"L{n}", f"f{n}", f"F{n}", "", "usage", "", "", NOTHING, 100 - n)
        for n in range(20)
    ]
    credit = StatementLine("C", "", "", "", "transfer", "", "paid", NOTHING, -1)
    lines = (*features, credit)
    total = sum(line.amount_cents for line in lines)
    made = charge_bar(
        Statement("t", "T", "", "", "", "m", "m", charged=True, total_cents=total, lines=lines),
        "USD",
    )
    assert made.slices[0].label == "14 other features"
    assert (made.slices[-1].label, made.slices[-1].amount) == ("Transfers between teams", "-0.01")
    assert [part.style for part in made.slices] == list(range(1, 9))


def test_what_is_paid_for_others_and_prices_are_no_feature_of_the_team(priced):
    bar = charge_bar(priced.statement("B"), "USD")
    assert [(part.label, part.amount) for part in bar.slices] == [
        ("Site search", "200.00"),
        ("Transfers between teams", "100.00"),
        ("Markup", "45.00"),
        ("Pooled evaluation", "37.50"),
        ("Transfer prices", "-120.00"),
    ]


def test_a_long_model_name_is_cut_in_the_drawing_and_whole_in_words(comparison):
    column = replace(comparison.columns[0], label="Use-case budget, committed at month end")
    panel = comparison_panels(replace(comparison, columns=(column,)))[0]
    assert panel.bars[0].label == "Use-case budget, c\N{HORIZONTAL ELLIPSIS}"
    assert panel.words.startswith(column.label)


def test_an_empty_month_is_drawn(comparison):
    columns = tuple(
        replace(column, borne_cents={}, central_cents=0) for column in comparison.columns
    )
    empty = replace(comparison, ledger_cost_cents=0, columns=columns)
    assert all(bar.width == 0 for panel in comparison_panels(empty) for bar in panel.bars)
