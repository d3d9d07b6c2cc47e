from tallybook.ledger.balance import TrialRow
from tallybook.report.trial_balance import trial_balance_text


def row(account, closing, team="", opening=0):
    moved = closing - opening
    return TrialRow(account, team, "", opening, max(moved, 0), max(-moved, 0), closing)


UNIT = 10**9


def test_the_sum_and_memo_stand_apart():
    page = trial_balance_text(
        [
            row("Cost:X", 550 * UNIT),
            row("Accrued:X", -550 * UNIT),
            row("Memo:Shown:A", 775 * UNIT, team="A"),
            row("Memo:Contra", -775 * UNIT),
        ],
        "USD",
        "October 2026",
    )
    lines = page.splitlines()
    assert lines[0] == "October 2026, USD"
    assert lines[2].split() == [
        "account",
        "team",
        "feature",
        "opening",
        "debit",
        "credit",
        "closing",
    ]
    assert lines[4].split() == ["Cost:X", "0.00", "550.00", "0.00", "550.00"]
    assert ["sum", "0.00", "550.00", "550.00", "0.00"] in [line.split() for line in lines]
    assert lines.index("Shown, not booked:") > [line[:3] for line in lines].index("sum")
    assert lines[-1].split() == ["memo", "sum", "0.00", "775.00", "775.00", "0.00"]


def test_the_finest_figure_sets_the_decimals_of_all():
    page = trial_balance_text([row("Cost:X", 1_234_500_000), row("Accrued:X", -1_234_500_000)])
    assert "1.2345" in page
    assert "-1.2345" in page
    assert "0.0000" in page
    assert "1.23450" not in page


def test_columns_are_aligned_and_an_empty_book_sums_to_zero():
    page = trial_balance_text([row("Cost:X", 5 * UNIT), row("Accrued:long-name", -5 * UNIT)])
    figures = [line for line in page.splitlines() if "0.00" in line]
    assert len({len(line) for line in figures}) == 1
    assert trial_balance_text([]).split()[-5:] == ["sum", "0.00", "0.00", "0.00", "0.00"]
