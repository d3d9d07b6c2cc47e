"""Workbooks as rows of text: shared and inline strings, dates, and what is refused."""

import io
import zipfile

import openpyxl
import pytest

from tallybook.errors import WrongUsageError
from tallybook.report.why.sheet import sheet_rows


def test_another_writer_is_read_too(tmp_path):
    book = openpyxl.Workbook()
    page = book.active
    page.append(["team", None, "cost"])
    page.append(["a", None, 1.1])
    page.append([])
    page.append(["b", True, "=1+1"])
    book.save(tmp_path / "b.xlsx")
    assert list(sheet_rows(tmp_path / "b.xlsx")) == [
        (1, ["team", "", "cost"]), (2, ["a", "", "1.1"]), (4, ["b", "1", ""])
    ]  # fmt: skip


def rewritten(path, name, change):
    packed = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(packed, "w") as new:
        for item in old.namelist():
            content = old.read(item)
            new.writestr(item, change(content) if item == name else content)
    path.write_bytes(packed.getvalue())


def test_entities_are_refused(tmp_path):
    path = tmp_path / "b.xlsx"
    openpyxl.Workbook().save(path)
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]>'
    rewritten(path, "xl/workbook.xml", lambda xml: bomb + xml)
    with pytest.raises(WrongUsageError, match="defines entities"):
        list(sheet_rows(path))


@pytest.mark.parametrize("name", ["xl/workbook.xml", "xl/worksheets/sheet1.xml"])
def test_a_broken_part_is_refused(tmp_path, name):
    path = tmp_path / "b.xlsx"
    openpyxl.Workbook().save(path)
    rewritten(path, name, lambda xml: xml[:40])
    with pytest.raises(WrongUsageError, match="cannot be read as a workbook"):
        list(sheet_rows(path))
