"""The first sheet of a workbook as rows of text.

Cells of numbers are read from the file's own text, never through a float. Excel keeps numbers as
doubles and shows at most 15 significant digits, so a cell that was 0.3 may be written as
0.30000000000000004; figures are read at those 15 digits, as a person reads them (Microsoft,
"Floating-point arithmetic may give inaccurate results in Excel"). ECMA-376 part 1, 18.3 and 18.4.
"""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Context, Decimal, InvalidOperation
from pathlib import Path
from typing import Final

from tallybook.errors import WrongUsageError

SIGNATURE: Final = b"PK\x03\x04"
_DIGITS: Final = Context(prec=15)
_MAIN: Final = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATED: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_DATE_FORMATS: Final = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
_DATE_CODE: Final = re.compile(r'(?:"[^"]*"|\[[^\]]*\]|[^dmyDMY])*[dyDY]')
_FIRST: Final = {False: date(1899, 12, 30), True: date(1904, 1, 1)}
_BYTES_MAX: Final = 256 << 20
_COLUMN: Final = re.compile(r"[A-Z]+")
_LETTERS: Final = 26


def sheet_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The rows of a workbook's first sheet that hold something: (row number, cells as text).

    Raises:
        WrongUsageError: it is no workbook, or is made to exhaust who reads it.
    """
    try:
        with zipfile.ZipFile(path) as packed:
            yield from _rows(packed)
    except (zipfile.BadZipFile, KeyError, ET.ParseError, ValueError, OSError) as error:
        raise WrongUsageError(
            f"cannot be read as a workbook: {error}",
            where=str(path),
            next_step="save it again as .xlsx, or as .csv",
        ) from error


def _rows(packed: zipfile.ZipFile) -> Iterator[tuple[int, list[str]]]:
    book = _xml(packed, "xl/workbook.xml")
    properties = book.find(f"{_MAIN}workbookPr")
    since_1904 = properties is not None and properties.get("date1904") in ("1", "true")
    shared = _shared(packed)
    dates = _date_styles(packed)
    sheet = _xml(packed, _first_sheet(packed, book))
    for number, row in enumerate(sheet.iter(f"{_MAIN}row"), 1):
        cells: list[str] = []
        for cell in row.iter(f"{_MAIN}c"):
            at = _column(cell.get("r", "")) if cell.get("r") else len(cells)
            cells += [""] * (at - len(cells))
            cells.append(_text(cell, shared, dates, since_1904=since_1904))
        if any(cells):
            yield int(row.get("r", number)), cells


def _first_sheet(packed: zipfile.ZipFile, book: ET.Element) -> str:
    first = next(book.iter(f"{_MAIN}sheet"))
    wanted = first.get(_RELATED)
    for relation in _xml(packed, "xl/_rels/workbook.xml.rels"):
        if relation.get("Id") == wanted:
            target = str(relation.get("Target"))
            return target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    raise ValueError("its first sheet is not there")


def _shared(packed: zipfile.ZipFile) -> list[str]:
    if "xl/sharedStrings.xml" not in packed.namelist():
        return []
    return [_joined(item) for item in _xml(packed, "xl/sharedStrings.xml").iter(f"{_MAIN}si")]


def _joined(item: ET.Element) -> str:
    return "".join(text.text or "" for text in item.iter(f"{_MAIN}t"))


def _date_styles(packed: zipfile.ZipFile) -> frozenset[int]:
    """The numbers of the cell styles that show a date."""
    if "xl/styles.xml" not in packed.namelist():
        return frozenset()
    styles = _xml(packed, "xl/styles.xml")
    own = {
        int(form.get("numFmtId", "0"))
        for form in styles.iter(f"{_MAIN}numFmt")
        if _DATE_CODE.match(form.get("formatCode", ""))
    }
    cells = styles.find(f"{_MAIN}cellXfs")
    formats = [int(style.get("numFmtId", "0")) for style in cells] if cells is not None else []
    return frozenset(n for n, form in enumerate(formats) if form in own | _DATE_FORMATS)


def _text(cell: ET.Element, shared: list[str], dates: frozenset[int], *, since_1904: bool) -> str:
    kind = cell.get("t", "n")
    if kind == "inlineStr":
        return _joined(cell).strip()
    value = cell.findtext(f"{_MAIN}v") or ""
    if kind == "s":
        return shared[int(value)].strip()
    if kind != "n" or not value:
        return value.strip()
    try:
        figure = _DIGITS.create_decimal(Decimal(value))
    except InvalidOperation:
        return value
    if int(cell.get("s", "0")) in dates:
        return (_FIRST[since_1904] + timedelta(days=int(figure))).isoformat()
    return format(figure, "f")


def _column(place: str) -> int:
    letters = _COLUMN.match(place)
    if letters is None:
        raise ValueError(f"a cell stands at {place!r}")
    number = 0
    for letter in letters[0]:
        number = number * _LETTERS + ord(letter) - ord("A") + 1
    return number - 1


def _xml(packed: zipfile.ZipFile, name: str) -> ET.Element:
    if packed.getinfo(name).file_size > _BYTES_MAX:
        raise ValueError(f"{name} unpacks to more than {_BYTES_MAX >> 20} MiB")
    content = packed.read(name)
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise ValueError(f"{name} defines entities, which no workbook needs")
    return ET.parse(io.BytesIO(content)).getroot()  # noqa: S314 - without entities it is harmless
