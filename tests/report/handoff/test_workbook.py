"""Workbooks: read back by a program that we did not write, every amount has the same cents."""

import io
import zipfile
from decimal import Decimal
from xml.etree import ElementTree as ET

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallybook.errors import HandoffError, LedgerError
from tallybook.ledger.balance import TrialRow
from tallybook.report.handoff.books import write_workbook
from tallybook.report.handoff.workbook import MONEY, controls, trial_cents, workbook
from tallybook.report.model import CentralLine

from ..conftest import CENTRAL, line, statement, statement_set  # noqa: TID252

CELL = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def sheet(raw, name):
    page = openpyxl.load_workbook(io.BytesIO(raw))[name]
    head, *rows = page.iter_rows(values_only=True)
    return [dict(zip(head, row, strict=True)) for row in rows]


def cents(value):
    """What a reader has of a cell, as cents, exactly."""
    return int(Decimal(str(value)).scaleb(2))


@pytest.fixture
def october_book(october, tmp_path):
    return write_workbook(october.store, october.statements(), tmp_path).read_bytes()


def test_every_line_is_there_with_its_cents(october, october_book):
    rows = sheet(october_book, "Statements")
    wanted = [
        (each.team, x.id, x.amount_cents) for each in october.statements().statements
        for x in each.lines
    ]  # fmt: skip
    assert [(row["team"], row["line"], cents(row["amount"])) for row in rows] == wanted
    assert {row["calls"] for row in rows if row["kind"] == "usage"} == {50, 40}


def test_amounts_are_numbers_in_a_money_format(october_book):
    page = openpyxl.load_workbook(io.BytesIO(october_book))["Statements"]
    column = next(cell for cell in page[1] if cell.value == "amount").column
    cells = [page.cell(row, column) for row in range(2, page.max_row + 1)]
    assert {cell.data_type for cell in cells} == {"n"}
    assert {cell.number_format for cell in cells} == {MONEY}


def test_the_trial_balance_sums_to_zero_and_each_row_ties(october_book):
    rows = sheet(october_book, "Trial balance")
    booked = [row for row in rows if not row["account"].startswith("Memo")]
    assert sum(cents(row["closing"]) for row in booked) == 0
    for row in rows:
        opening, debit, credit, closing = (
            cents(row[name]) for name in ("opening", "debit", "credit", "closing")
        )
        assert opening + debit - credit == closing
    by_account = {row["account"]: row["closing, exact"] for row in booked if not row["team"]}
    assert by_account["Accrued:X"] == "-610.000000000"


def test_the_control_sheet_ties_and_names_the_journals(october_book):
    rows = sheet(october_book, "Control")
    assert len(rows) == 8
    assert {cents(row["difference"]) for row in rows} == {0}
    assert cents(rows[-1]["here"]) == 107_000
    vouchers = [row["voucher"] for row in sheet(october_book, "Journals")]
    assert vouchers == ["acme-2026-10-accrual-acme-us-v1", "acme-2026-10-recharge-acme-us-v1"]


def test_the_same_books_have_the_same_bytes(october, october_book, tmp_path):
    again = write_workbook(october.store, october.statements(), tmp_path / "again")
    assert again.read_bytes() == october_book


def test_one_teams_workbook_has_its_lines_alone(october, tmp_path):
    path = write_workbook(october.store, october.statements(), tmp_path, "A")
    assert path.name == "statements-2026-10-A.xlsx"
    assert {row["team"] for row in sheet(path.read_bytes(), "Statements")} == {"A"}
    with pytest.raises(LedgerError, match="no statement for team 'nobody'"):
        write_workbook(october.store, october.statements(), tmp_path, "nobody")


def test_a_superseded_version_has_no_trial_balance(company, tmp_path):
    from company import usage  # noqa: PLC0415

    company.ingest(usage("1"))
    company.run()
    draft = openpyxl.load_workbook(write_workbook(company.store, company.statements(), tmp_path))
    assert "Trial balance" in draft.sheetnames
    assert "Journals" not in draft.sheetnames
    company.close()
    company.reopen()
    company.run()
    company.close()
    first = write_workbook(company.store, company.statements(version=1), tmp_path)
    assert openpyxl.load_workbook(first).sheetnames == [
        "Summary", "Statements", "Central", "Control",
    ]  # fmt: skip


def of(*amounts):
    """A set of one statement with these amounts."""
    lines = [line("usage", amount, feature=f"f{n}") for n, amount in enumerate(amounts)]
    return statement_set([CentralLine("a", "", "b", 1)], [statement("A", "Support", lines)])


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(-(10**15) + 1, 10**15 - 1), min_size=1, max_size=6))
def test_any_amount_of_fifteen_digits_reads_back_as_the_same_cents(amounts):
    issue = of(*amounts, -sum(amounts))
    if abs(sum(amounts)) >= 10**15:
        with pytest.raises(HandoffError, match="more than the 15 digits"):
            workbook(issue, None, None)
        return
    rows = sheet(workbook(issue, None, None), "Statements")
    assert [cents(row["amount"]) for row in rows] == [*amounts, -sum(amounts)]


def test_the_file_itself_holds_the_digits_and_no_float(tmp_path):
    raw = workbook(of(1_204_18, 7), None, None)
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        page = ET.fromstring(archive.read("xl/worksheets/sheet2.xml"))
    values = [cell.findtext(f"{CELL}v") for cell in page.iter(f"{CELL}c") if "t" not in cell.attrib]
    assert "1204.18" in values
    assert "0.07" in values


def test_a_text_that_looks_like_a_formula_is_a_text():
    issue = statement_set(
        CENTRAL, [statement("A", "=1+1", [line("usage", 1, label="=cmd|'x'!A1")])]
    )
    page = openpyxl.load_workbook(io.BytesIO(workbook(issue, None, None)))["Statements"]
    cells = [cell for row in page.iter_rows(min_row=2) for cell in row if cell.value]
    assert "=1+1" in {cell.value for cell in cells}
    assert {cell.data_type for cell in cells} <= {"s", "n"}


NANO = st.integers(-(10**15), 10**15)


@given(st.lists(st.tuples(NANO, st.integers(0, 10**15), st.integers(0, 10**15)), max_size=8))
def test_cents_of_a_trial_balance_tie_in_every_row_and_in_sum(moves):
    rows = [
        TrialRow(f"Cost:{n}", "", "", opening, debit, credit, opening + debit - credit)
        for n, (opening, debit, credit) in enumerate(moves)
    ]
    rest = (sum(r.opening_nano for r in rows), sum(r.closing_nano for r in rows))
    rows.append(TrialRow("Accrued:X", "", "", -rest[0], 0, rest[1] - rest[0], -rest[1]))
    found = trial_cents(rows, "2026-10")
    assert sum(each.opening for each in found) == sum(each.closing for each in found) == 0
    for each in found:
        assert each.opening + each.debit - each.credit == each.closing
        assert abs(each.closing * 10**7 - each.row.closing_nano) < 10**7
        assert abs(each.credit * 10**7 - each.row.credit_nano) < 3 * 10**7


def test_a_paper_that_does_not_tie_shows_the_difference(real_cost):
    row = TrialRow("Charge:A:usage", "A", "", 0, 5 * 10**9, 0, 5 * 10**9)
    found = {each.what: each.difference for each in controls(real_cost, trial_cents([row], "p"))}
    assert found["Trial balance: sum of closings"] == 500
    assert found["Trial balance: charged in the month, and charged total"] == 500 - 102_000
