"""Rows out of files, however they are packed and named."""

import gzip
from decimal import Decimal

import pytest

from report_files import CUR, brief, read, table
from tallybook.errors import InvoiceError
from tallybook.reconcile.read.rows import figure, json_list, plain, plain_name, raw_text


def test_gzip_and_semicolons(tmp_path):
    path = table(tmp_path / "cur.csv", CUR, delimiter=";")
    packed = tmp_path / "cur.csv.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert brief(read(packed)) == brief(read(path))


def test_names_without_case_and_marks():
    names = ("lineItem/UsageType", "line_item_usage_type", "Line Item Usage Type")
    assert {plain_name(name) for name in names} == {"lineitemusagetype"}
    nested = {"usage": {"amount": 1, "unit": "count"}, "product": [("name", "x")]}
    assert plain(nested) == {"usageamount": 1, "usageunit": "count", "productname": "x"}


def test_figures_are_plain_decimal_text():
    assert figure(Decimal("1.5E-7"), "f") == "0.00000015"
    assert figure("0.8958740000000000", "f") == "0.8958740000000000"
    for told in ("", "1,5", "NaN", "Infinity", "1_0", None, "1e999999999", "1e-99", "1" * 41):
        with pytest.raises(InvoiceError, match="decimal number"):
            figure(told, "f")


def test_a_list_in_a_table_is_json_text():
    assert json_list('[{"Amount": -1}]') == [{"amount": -1}]
    assert json_list("") == json_list(None) == []
    with pytest.raises(InvoiceError, match="JSON text"):
        json_list("[{")


def test_the_raw_row_keeps_every_digit():
    raw = {"a": Decimal("0.10000000000000000001"), "b": None, "c": ["x"]}
    assert raw_text(raw) == '{"a":0.10000000000000000001,"b":null,"c":["x"]}'


def test_a_row_of_another_length_and_a_file_without_a_header(tmp_path):
    path = table(tmp_path / "cur.csv", CUR)
    path.write_text(path.read_text() + "1,2\n")
    with pytest.raises(InvoiceError, match="2 fields stand here"):
        read(path)
    (tmp_path / "empty.csv").write_text("\n")
    with pytest.raises(InvoiceError, match="no header"):
        read(tmp_path / "empty.csv")
    with pytest.raises(InvoiceError, match="cannot be read"):
        read(tmp_path / "gone.csv")
