"""A plain table under a mapping, and mappings that are refused."""

import pytest

from report_files import brief, read, table
from tallybook.errors import InvoiceError
from tallybook.reconcile.read.plain_map import load_map

MAP = """
invoice: {number: "7", currency: USD, total: "690.00"}
columns: {amount: Amount, kind: Type, day: Date, model: Model, quantity: "Tokens (k)"}
values: {kind: {Sales tax: tax, "": usage}}
per: 1000
"""


def test_a_plain_table_by_a_mapping(tmp_path):
    (tmp_path / "map.yaml").write_text(MAP)
    form = load_map(tmp_path / "map.yaml")
    path = table(
        tmp_path / "bill.csv",
        {
            "Date": "2026-10-03",
            "Type": "",
            "Model": "x-1",
            "Tokens (k)": "12.5",
            "Amount": "620.00",
        },
        {"Date": "2026-10-31", "Type": "Sales tax", "Model": "", "Tokens (k)": "", "Amount": "70"},
    )
    told = read(path, mapping=form)
    assert brief(told) == [
        ("usage", "x-1", "", "", 12_500, 620 * 10**12, "USD"),
        ("tax", "", "", "", None, 70 * 10**12, "USD"),
    ]
    assert (told.total_pico, told.restates, told.lines[0].number) == (690 * 10**12, False, "7")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("columns: {}", "name no amount"), ("columns: {amount: A, colour: B}", "no field 'colour'"),
        ("rows: 1", "no mapping"), ("columns: {amount: A}\namounts_in: dollars", "amounts_in is"),
        ("columns: [", "no mapping"),
    ],
)  # fmt: skip
def test_a_mapping_that_is_wrong_is_refused(tmp_path, text, words):
    (tmp_path / "map.yaml").write_text(text)
    with pytest.raises(InvoiceError, match=words):
        load_map(tmp_path / "map.yaml")
