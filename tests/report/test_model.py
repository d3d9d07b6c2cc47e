"""A set that does not tie cannot be made, and the refusal names the figures."""

from dataclasses import replace

import pytest

from tallybook.errors import LedgerError
from tallybook.report.model import CentralLine


def test_the_worked_example_ties(real_cost, mixed):
    assert real_cost.charged_total_cents == 1020_00
    assert real_cost.central_total_cents == 50_00
    assert (mixed.charged_total_cents, mixed.shown_total_cents) == (765_00, 275_00)
    assert real_cost.ledger_cost_cents == mixed.ledger_cost_cents == 1070_00


def test_lines_that_miss_the_total_by_a_cent_are_refused(real_cost):
    with pytest.raises(LedgerError, match=r"lines 765\.00 and total 765\.01 differ by -0\.01"):
        replace(real_cost.statements[0], total_cents=765_01)


@pytest.mark.parametrize(
    "field",
    [
        "charged_total_cents",
        "shown_total_cents",
        "central_total_cents",
        "ledger_cost_cents",
    ],
)
def test_each_identity_is_checked(mixed, field):
    with pytest.raises(LedgerError, match=r"differ by (-0\.01|0\.01)"):
        replace(mixed, **{field: getattr(mixed, field) + 1})


def test_moving_a_cent_between_charged_and_central_totals_is_refused(real_cost):
    central = (*real_cost.central, CentralLine("rounding", "", "", 1))
    with pytest.raises(LedgerError, match=r"ledger cost 1070\.00 differ by 0\.01"):
        replace(real_cost, central=central, central_total_cents=50_01)


def test_a_charged_statement_is_not_counted_as_shown(mixed):
    turned = tuple(replace(each, charged=True) for each in mixed.statements)
    with pytest.raises(LedgerError, match=r"charged statements 1040\.00 and charged 765\.00"):
        replace(mixed, statements=turned)


def test_a_note_cannot_hide_among_the_lines(real_cost):
    support = real_cost.statement("A")
    with pytest.raises(LedgerError, match="only shown stands among lines"):
        replace(
            support,
            lines=(*support.lines, support.notes[0]),
            total_cents=support.total_cents + support.notes[0].amount_cents,
        )
    with pytest.raises(LedgerError, match="only shown stands among lines"):
        replace(support, notes=(support.lines[0],))


def test_a_counterpart_has_a_role_that_is_declared(priced):
    support = priced.statement("A")
    strange = replace(support.lines[1], transfer=replace(support.lines[1].transfer, role="friend"))
    with pytest.raises(LedgerError, match="'friend' is none of caused, joint"):
        replace(support, lines=(support.lines[0], strange, *support.lines[2:]))


def test_a_team_a_line_and_a_feature_have_one_identity(real_cost):
    support = real_cost.statement("A")
    with pytest.raises(LedgerError, match="team appears more than once: 'A'"):
        replace(real_cost, statements=(support, support))
    with pytest.raises(LedgerError, match="line id appears more than once"):
        replace(support, lines=support.lines * 2, total_cents=support.total_cents * 2)
    other = replace(support.lines[0], feature_name="Another name")
    renamed = replace(support, lines=(other, *support.lines[1:]))
    with pytest.raises(LedgerError, match="is called 'Another name' and 'Refund bot'"):
        replace(real_cost, statements=(renamed, *real_cost.statements[1:]))


def test_an_unknown_status_kind_or_team_is_refused(real_cost):
    with pytest.raises(LedgerError, match="'issued' is none of draft, final, corrected"):
        replace(real_cost, status="issued")
    support = real_cost.statement("A")
    odd = replace(support.lines[0], kind="gift")
    with pytest.raises(LedgerError, match="'gift' is none of"):
        replace(support, lines=(odd, *support.lines[1:]))
    with pytest.raises(LedgerError, match="no statement for team 'C'"):
        real_cost.statement("C")


def test_a_comparison_adds_up_under_every_model(comparison):
    column = replace(comparison.columns[2], central_cents=50_01)
    with pytest.raises(LedgerError, match="comparison, real_cost"):
        replace(comparison, columns=(column,))
    with pytest.raises(LedgerError, match="breakdown of A"):
        replace(comparison, breakdown=(replace(comparison.breakdown[0], total_cents=1),))
    with pytest.raises(LedgerError, match=r"not listed: \['B'\]"):
        replace(comparison, teams=(("A", "Support"),))
