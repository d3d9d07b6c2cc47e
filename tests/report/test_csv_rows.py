"""The totals can be made again from the rows alone."""

import csv
import io
from dataclasses import replace
from decimal import Decimal

from tallybook.report.csv_rows import HEADER, csv_text


def rows_of(issue):
    return list(csv.DictReader(io.StringIO(csv_text(issue))))


def total(rows, **wanted):
    return sum(
        Decimal(row["amount"])
        for row in rows
        if all(row[key] == value for key, value in wanted.items())
    )


def test_totals_come_out_of_the_rows(mixed):
    rows = rows_of(mixed)
    assert tuple(rows[0]) == HEADER
    charged = total(rows, part="statement", charged="yes")
    assert charged == Decimal("765.00")
    assert total(rows, part="statement", charged="no") == Decimal("275.00")
    assert charged + total(rows, part="central") == Decimal("1070.00")
    assert total(rows, team="A") == Decimal("765.00")


def test_a_row_about_a_transfer_names_the_other_team(priced):
    told = [
        (row["team"], row["role"], row["counterpart"], row["service"], row["rule"], row["amount"])
        for row in rows_of(priced)
        if row["role"]
    ]
    assert told == [
        ("A", "owed", "B", "retrieval", "transfer_price", "120.00"),
        ("B", "paid_for", "A", "retrieval", "transfer_price", "100.00"),
        ("B", "earned", "A", "retrieval", "transfer_price", "-120.00"),
    ]
    assert total(rows_of(priced)) == Decimal("1070.00")


def test_notes_are_not_rows(mixed):
    assert all("paid by quality pool" not in row["label"] for row in rows_of(mixed))


def test_a_name_is_never_a_formula_and_a_credit_stays_a_number(mixed):
    support = mixed.statements[0]
    lines = (replace(support.lines[0], label='=HYPERLINK("x")\n, "y"'), *support.lines[1:])
    issue = replace(mixed, statements=(replace(support, lines=lines), mixed.statements[1]))
    rows = rows_of(issue)
    assert rows[0]["label"] == '\'=HYPERLINK("x")\n, "y"'
    assert rows[0]["units"] == '{"web_search":3}'
    assert "-40.00" in {row["amount"] for row in rows}
